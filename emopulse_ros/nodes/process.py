"""What a process that runs nodes does once: ROS, the executor, signals, and the interpreter."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import rclpy
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.utilities import remove_ros_args

from emopulse_ros.nodes.stage_node import StageNode
from emopulse_ros.transport.spinner import Spinner

SETTLE_S = 2.0
"""Longest wait for items that are still in a queue when the stream ends."""


class RosProcess:
    """A ROS context of its own, and an executor for each of its nodes.

    A thread for each, so that action units are read from one frame while the next one's flow is
    measured: a frame that takes longer than 5 ms is late, but holds up no other.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """Start ROS; ``arguments`` as on a command line, what is not for ROS is ignored.

        :raises ValueError: if ROS cannot work with the arguments.
        """
        tune_interpreter()
        self.context = rclpy.Context()
        with _reading_arguments():
            rclpy.init(context=self.context, args=list(arguments))
        self.over = threading.Event()
        """Set when it is time to end: by a signal, or because the context was shut down."""
        self.context.on_shutdown(self._end)
        self._spinners: dict[StageNode, Spinner] = {}
        self._is_closed = False

    def add(self, *nodes: StageNode) -> None:
        """Spin nodes."""
        for node in nodes:
            spinner = self._spinners[node] = Spinner(self.context)
            node.after_configure = keep_what_is_there
            node.over = self.over
            spinner.start()
            spinner.add(node)

    def bring_up(self, *, managed: bool = False) -> None:
        """Configure all nodes, then activate them, the last one first, so that nothing is lost.

        If they are ``managed`` from outside, nodes whose parameter ``autostart`` is false are left.
        When it is time to end, the rest is left out.

        :raises ValueError, OSError: what a node could not work with.
        """
        nodes = [node for node in self._spinners if node.settings["autostart"] or not managed]
        begin = [(node, "configure") for node in nodes]
        for node, transition in begin + [(node, "activate") for node in reversed(nodes)]:
            if not self.over.is_set():
                self._change(node, transition)

    def wait(self, event: threading.Event, seconds: float | None = None) -> None:
        """Wait for an event, the end of the process or the time limit, whichever is first."""
        end = None if seconds is None else time.monotonic() + seconds
        while not (self.over.is_set() or event.is_set()):
            left = 0.1 if end is None else min(0.1, end - time.monotonic())
            if left <= 0.0:
                return
            self.over.wait(left)

    def close(self) -> None:
        """Shut the nodes down, the first one first, after what waits for it; leave ROS.

        Safe to call twice.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._end()
        for node, spinner in self._spinners.items():
            self._settle(node)
            spinner.call(node.shut_down)
            # What an executor has not let go of when it is stopped it never does.
            spinner.remove(node)
        for spinner in self._spinners.values():
            spinner.stop()
        for node in self._spinners:
            node.destroy_node()
        rclpy.try_shutdown(context=self.context)
        gc.unfreeze()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within, SIGINT and SIGTERM end the process in good order; in the main thread only.

        After one of them came they are ignored, for the process is at its end, and who interrupts
        often does so twice.
        """
        came = threading.Event()

        def take(*_: Any) -> None:
            came.set()
            self._end()

        signals = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, take) for number in signals]
        try:
            yield
        finally:
            for number, handler in zip(signals, before, strict=True):
                signal.signal(number, signal.SIG_IGN if came.is_set() else handler)

    def _end(self) -> None:
        self.over.set()

    def _change(self, node: StageNode, transition: str) -> None:
        outcome = self._spinners[node].call(getattr(node, f"trigger_{transition}"))
        if outcome != TransitionCallbackReturn.SUCCESS and not self.over.is_set():
            raise node.error or OSError(f"{node.get_name()} could not {transition}")

    def _settle(self, node: StageNode) -> None:
        end = time.monotonic() + SETTLE_S
        while node.waiting and time.monotonic() < end:
            time.sleep(0.001)


def tune_interpreter() -> None:
    """Set the interpreter up for frames that have 5 ms."""
    # A thread keeps the interpreter for 5 ms by default, and every call of OpenCV or ONNX Runtime
    # gives it up: whatever runs beside the stream then takes a frame's time each time. Measured
    # with a display that computes 4 ms in every 80, 2.7 ms of stages, latency p99: 18.5 ms with the
    # default, 5.4 with 0.5 ms, 5.0 with 0.1 ms, 6.0 with 0.02 ms, where switching itself costs.
    sys.setswitchinterval(0.0001)
    # Threads of OpenCV's own cost more to wake than pictures of this size take.
    cv2.setNumThreads(1)


def keep_what_is_there() -> None:
    """Spare the garbage collector what exists now: it lives until the node is cleaned up.

    To look at it again would take ten frames' time.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def not_for_ros(arguments: Sequence[str]) -> list[str]:
    """What of a command line ROS leaves to the program, without the program's name.

    :raises ValueError: if ROS cannot work with the arguments.
    """
    with _reading_arguments():
        return list(remove_ros_args(args=list(arguments))[1:])


@contextmanager
def _reading_arguments() -> Iterator[None]:
    try:
        yield
    except (rclpy_implementation.RCLError, RuntimeError, ValueError) as error:
        raise ValueError(f"ROS cannot work with its arguments: {_first_line(error)}") from error


def _first_line(error: Any) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
