"""One hop of a picture, at the true pace: zero-copy topics beside plain rclpy over DDS."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import rclpy

from emopulse_ros.bench.hop_table import Row
from emopulse_ros.bench.hops import DdsHop, Hop, Picture, ZeroCopyHop
from emopulse_ros.bench.image_reader import ImageReader
from emopulse_ros.nodes.process import tune_interpreter
from emopulse_ros.stream import read_only
from emopulse_ros.transport.spinner import Spinner, fastest_kind

PAYLOADS = {"vga": (480, 640), "1080p": (1080, 1920)}
"""Height and width of the pictures, which are mono8."""

PATHS = ("zero_copy", "dds_one_process", "dds_two_processes")

SUBSCRIBERS = (1, 2, 4)

RCLPY_SPIN = "single-threaded"
"""The executor of ``rclpy.spin``."""

RATE = 200.0
"""Pictures a second."""

WARM_UP_S = 1.0
"""Time that is not measured, once all have found each other."""

SLICE_S = 0.5
"""Longest time for which one path is measured before the next has its turn. A machine's mood lasts
longer than that, and so falls on all of them."""

SETTLE_S = 0.1
"""Time for what is still on its way."""

MEETING_S = 10.0
"""Longest wait for that."""


def run_transport(
    seconds: float = 4.0,
    *,
    payloads: Sequence[str] = tuple(PAYLOADS),
    subscribers: Sequence[int] = SUBSCRIBERS,
    executor: str | None = None,
    on_row: Callable[[Row], None] = lambda _: None,
) -> list[Row]:
    """Measure all paths for some seconds each, taking turns; return a row for each.

    ``path`` is ``zero_copy``, ``dds_one_process`` or ``dds_two_processes``; in the last all
    subscriptions are in the second process, in the others ``outside_subscribers`` more may listen
    there. Without ``executor`` each runs under the one it comes with: zero-copy topics under the
    fastest, as :class:`~emopulse_ros.transport.spinner.Spinner` chooses, plain rclpy under that of
    ``rclpy.spin``; with it, all under that one. ``hop_ms`` is from the moment the publisher has a
    picture until the callback has it, making and reading the message included; ``cpu_cores`` is the
    processor time per second of the processes that take part in the path, an outside subscriber
    not included. ``bytes_copied_per_frame`` are those of pictures that could be seen to be copied:
    into a message, and by arriving elsewhere than they left from; what the middleware copies in
    between is not known. ``arrived`` is the share of pictures that reached the subscriptions, at
    ``rate_hz``.

    :raises ValueError: if what is asked for cannot be measured.
    :raises RuntimeError: if publisher and subscriptions do not find each other.
    """
    if not 0.1 <= seconds <= 3600.0:
        raise ValueError(f"the duration is {seconds} s; it must be from 0.1 to 3600")
    tune_interpreter()
    rows = []
    for payload in payloads:
        for count in subscribers:
            for outside in (0, 1):
                for row in _side_by_side(seconds, payload, count, outside, executor):
                    rows.append(row)
                    on_row(row)
    return rows


def _side_by_side(
    seconds: float, payload: str, subscribers: int, outside: int, executor: str | None
) -> list[Row]:
    pictures = _pictures(PAYLOADS[payload])
    with ExitStack() as stack:
        ways = [
            stack.enter_context(_way(payload, path, subscribers, outside, executor))
            for path in PATHS
            if not (outside and path == "dds_two_processes")
        ]
        for way in ways:
            way.send(pictures, WARM_UP_S, counts=False)
        slices = math.ceil(seconds / SLICE_S)
        for _ in range(slices):
            for way in ways:
                way.send(pictures, seconds / slices)
        return [way.row() for way in ways]


class _Way:
    """One path under measurement: a hop, who reads it elsewhere, and what was seen so far."""

    def __init__(
        self, hop: Hop, reader: ImageReader | None, is_read_here: bool, about: Row
    ) -> None:
        self._hop = hop
        self._reader = reader
        self._is_read_here = is_read_here
        self._about = about
        self._hops_ns: list[int] = []
        self._copied = self._sent = 0
        self._cpu = self._took = 0.0

    def send(self, pictures: Sequence[Picture], seconds: float, *, counts: bool = True) -> None:
        """Publish for a while, and wait for what is on its way."""
        arrivals = self._hop.arrivals
        if self._reader is not None:
            self._reader.since_last()
        arrivals.clear()
        cpu, begun = time.process_time(), time.monotonic()
        sent = _publish(self._hop, pictures, seconds)
        took, cpu = time.monotonic() - begun, time.process_time() - cpu
        time.sleep(SETTLE_S)
        if not counts:
            return
        self._sent, self._took, self._cpu = self._sent + sent, self._took + took, self._cpu + cpu
        self._hops_ns += arrivals.hops_ns
        self._copied += arrivals.copied
        if self._reader is not None and not self._is_read_here:
            told = self._reader.since_last()
            self._hops_ns += told["hops_ns"]
            self._copied += told["copied"]
            self._cpu += told["cpu"]

    def row(self) -> Row:
        """What was measured."""
        return {
            **self._about,
            "hop_ms": _figures(self._hops_ns),
            "cpu_cores": round(self._cpu / self._took, 3),
            "bytes_copied_per_frame": round(self._copied / self._sent),
            "arrived": round(len(self._hops_ns) / (self._sent * self._about["subscribers"]), 4),
            "rate_hz": round(self._sent / self._took, 1),
        }


@contextmanager
def _way(
    payload: str, path: str, subscribers: int, outside: int, executor: str | None
) -> Iterator[_Way]:
    kind = executor or (fastest_kind() if path == "zero_copy" else RCLPY_SPIN)
    topic = f"/bench/{payload.replace('1080p', 'full_hd')}/{path}_{subscribers}_{outside}"
    local = 0 if path == "dds_two_processes" else subscribers
    remote = subscribers - local + outside
    with ExitStack() as stack:
        reader = stack.enter_context(ImageReader(topic, remote, kind)) if remote else None
        publishing, reading = stack.enter_context(_nodes(path, kind))
        make = ZeroCopyHop if path == "zero_copy" else DdsHop
        hop: Hop = make(publishing, reading, topic, local)
        stack.callback(hop.close)
        _meet(hop, local + remote)
        about = {
            "payload": payload,
            "path": path,
            "subscribers": subscribers,
            "outside_subscribers": outside,
            "executor": kind,
        }
        yield _Way(hop, reader, bool(local), about)


def _pictures(shape: tuple[int, int]) -> list[Picture]:
    noise = np.random.default_rng(0)
    return [read_only(noise.integers(0, 256, shape, np.uint8)) for _ in range(8)]


@contextmanager
def _nodes(path: str, executor: str) -> Iterator[tuple[Any, Any]]:
    """A node that publishes and one that reads, whose callbacks run in a thread of their own."""
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    names = (f"{path}_writer", f"{path}_reader")
    nodes = [rclpy.create_node(name, context=context) for name in names]
    spinner = Spinner(context, executor)
    spinner.start()
    spinner.add(*nodes)
    try:
        yield nodes[0], nodes[1]
    finally:
        spinner.stop()
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown(context=context)


def _meet(hop: Hop, count: int) -> None:
    end = time.monotonic() + MEETING_S
    while hop.listeners() != count:
        if time.monotonic() > end:
            raise RuntimeError(
                f"the publisher found {hop.listeners()} of {count} subscriptions: is something "
                "else using this ROS domain, or is a firewall in the way?"
            )
        time.sleep(0.01)


def _publish(hop: Hop, pictures: Sequence[Picture], seconds: float) -> int:
    """Publish at the true pace; return how many."""
    begun = time.monotonic()
    for number in range(round(seconds * RATE)):
        due = begun + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        if time.monotonic() > begun + seconds:
            # Publishing itself takes too long for the pace.
            return number
        hop.publish(pictures[number % len(pictures)])
    return number + 1


def _figures(hops_ns: Sequence[int]) -> dict[str, float | None]:
    if not hops_ns:
        return {"median": None, "p99": None}
    median, p99 = np.percentile(np.array(hops_ns) / 1e6, (50.0, 99.0))
    return {"median": round(float(median), 4), "p99": round(float(p99), 4)}
