"""How a node is, once a second on ``/diagnostics``, told from a thread beside the stream."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.exceptions import InvalidHandle

from emopulse_ros.nodes.messages import since
from emopulse_ros.nodes.samples import Samples, percentiles
from emopulse_ros.nodes.stamps import Clock

PERIOD_S = 1.0

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True, slots=True)
class Health:
    """How a node is: a level of ``DiagnosticStatus``, a sentence, and figures by name."""

    level: bytes
    message: str
    values: dict[str, str] = field(default_factory=dict)


class Diagnostics:
    """Asks a node once a second how it is and publishes the answer."""

    def __init__(self, node: Any, ask: Callable[[], Health]) -> None:
        self._node = node
        self._ask = ask
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._has_complained = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="diagnostics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say no more."""
        self._over.set()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _tell(self) -> None:
        while not self._over.wait(PERIOD_S):
            if not self._node.context.ok():
                return
            try:
                self._publisher.publish(self._message(self._asked()))
            except InvalidHandle:
                return
            except Exception as error:
                self._complain(error)

    def _asked(self) -> Health:
        try:
            return self._ask()
        except InvalidHandle:
            raise
        except Exception as error:
            self._complain(error)
            reason = str(error) or type(error).__name__
            return Health(ERROR, f"how it is cannot be told: {reason}")

    def _complain(self, error: Exception) -> None:
        """Say once what is wrong; the next second is tried all the same."""
        if not self._has_complained:
            self._has_complained = True
            trace = "".join(traceback.format_exception(error))
            self._node.get_logger().error(f"the diagnostics failed, and go on:\n{trace}")

    def _message(self, health: Health) -> Any:
        status = DiagnosticStatus(
            level=health.level,
            name=self._node.get_fully_qualified_name(),
            message=health.message,
            hardware_id="",
            values=[KeyValue(key=key, value=value) for key, value in health.values.items()],
        )
        told = DiagnosticArray(status=[status])
        told.header.stamp = self._node.get_clock().now().to_msg()
        return told


class Pace:
    """Turns a count that only grows into a rate per second."""

    def __init__(self) -> None:
        self._count = 0
        self._time = time.monotonic()

    def __call__(self, count: int) -> float:
        """The rate since the last call."""
        now = time.monotonic()
        rate = (count - self._count) / max(now - self._time, 1e-9)
        self._count, self._time = count, now
        return rate


class Load:
    """Turns the times that works took into the share of all time that was spent on them."""

    def __init__(self, *works: Samples) -> None:
        self._works = works
        self._counts = [work.count for work in works]
        self._time = time.monotonic()

    def __call__(self) -> float:
        """The share since the last call, 0 to 1."""
        now = time.monotonic()
        known = zip(self._works, self._counts, strict=True)
        spent = sum(float(work.since(count).sum()) for work, count in known)
        share = spent / 1e3 / max(now - self._time, 1e-9)
        self._counts, self._time = [work.count for work in self._works], now
        return share


class Vitals:
    """What every node tells of its stream, in the same words: rate, load, latency and age."""

    def __init__(self, clock: Clock, latency: Samples, *works: Samples) -> None:
        """``clock`` is that of the capture stamps; ``latency`` is from capture until what was made
        of it was published, ``works`` are the times that this took, all in ms."""
        self.rate = self.median = 0.0
        """Of the last call: items a second, and their latency in ms."""
        self._clock = clock
        self._latency = latency
        self._told = latency.count
        self._pace, self._load = Pace(), Load(*works)

    def __call__(self, count: int, newest: int) -> dict[str, str]:
        """The figures since the last call, by name.

        ``count`` are the items there were so far, ``newest`` is the capture stamp in ns of the last
        one, 0 before there was any.
        """
        self.rate = self._pace(count)
        self.median, p99 = percentiles(self._latency.since(self._told), 50.0, 99.0)
        self._told = self._latency.count
        age = since(newest, self._clock) if newest else float("nan")
        return {
            "rate (Hz)": f"{self.rate:.1f}",
            "share of the time used": f"{self._load():.0%}",
            "latency, median (ms)": f"{self.median:.2f}",
            "latency, p99 (ms)": f"{p99:.2f}",
            "age of the last frame (ms)": f"{age:.1f}",
        }
