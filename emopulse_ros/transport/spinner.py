"""An executor that runs the callbacks of nodes in a thread of its own."""

from __future__ import annotations

import concurrent.futures
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Any, TypeVar

from rclpy.exceptions import InvalidHandle
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.task import Future

LOOK_S = 0.5
"""How often a caller that waits looks whether the executor still runs."""

Result = TypeVar("Result")

FOREVER_S = 3600.0
"""Longest single spin.

Without a limit the EventsExecutor waits until the end of time, which overflows where it was built
against an older C++ library: it then burns a processor and locks everybody else out.
"""


class Spinner:
    """Spins nodes of one context; the EventsExecutor where rclpy has it, see :class:`Turn`."""

    def __init__(self, context: Any, kind: str | None = None) -> None:
        """Make an executor of one of the :data:`KINDS`; None for the fastest there is.

        :raises ValueError: if this rclpy has no such executor.
        """
        self._context = context
        self.executor = make_executor(kind or fastest_kind(), context)
        self._over = Future()
        self._thread = threading.Thread(target=self._spin, name="executor", daemon=True)

    def add(self, *nodes: Any) -> None:
        """Run the callbacks of these nodes from now on."""
        for node in nodes:
            self._between_turns(partial(self.executor.add_node, node))

    def remove(self, *nodes: Any) -> None:
        """Run their callbacks no more; afterwards the nodes may be destroyed in any thread."""
        for node in nodes:
            self._between_turns(partial(self.executor.remove_node, node))
        # The EventsExecutor lets go of a node's entities when it next comes by.
        self._between_turns(_nothing)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; callbacks that have begun come to their end first."""
        self._over.set_result(None)
        # Work to do ends the turn of every kind of executor; the wait-set ones sleep on when they
        # are merely woken.
        self.executor.create_task(_nothing)
        if self._thread.is_alive():
            self._thread.join()
        self.executor.shutdown()

    def call(self, work: Callable[[], Result]) -> Result:
        """Run ``work`` in the executor's thread, wait for it, and return what it returns.

        What it raises is raised here.
        """
        answer: concurrent.futures.Future[Result] = concurrent.futures.Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:
                answer.set_exception(error)

        self.executor.create_task(run)
        while self._thread.is_alive():
            with suppress(concurrent.futures.TimeoutError):
                return answer.result(LOOK_S)
        # The context was shut down, so there is no other thread any more.
        return work() if not answer.done() else answer.result()

    def _between_turns(self, work: Callable[[], Any]) -> None:
        """Do what the EventsExecutor cannot bear while it goes through its nodes."""
        if self._thread.is_alive():
            self.call(work)
        else:
            work()

    def _spin(self) -> None:
        while not self._over.done() and self._context.ok():
            self._spin_on()

    def _spin_on(self) -> None:
        try:
            if isinstance(self.executor, SingleThreadedExecutor):
                # Its spin_until_future_complete leaves a callback in the future with every turn.
                self.executor.spin_once(FOREVER_S)
            else:
                self.executor.spin_until_future_complete(self._over, FOREVER_S)
        except InvalidHandle:
            # The EventsExecutor trips over an event of something that was destroyed meanwhile.
            return
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            get_logger("executor").error(f"a callback failed, the others go on:\n{trace}")

    def __enter__(self) -> Spinner:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


KINDS = ("events", "single-threaded", "multi-threaded")
"""The executors of rclpy, the fastest first."""


def make_executor(kind: str, context: Any) -> Any:
    """An executor of rclpy.

    :raises ValueError: if this rclpy has none of the kind.
    """
    if kind == "single-threaded":
        return SingleThreadedExecutor(context=context)
    if kind == "multi-threaded":
        return MultiThreadedExecutor(context=context)
    if kind != "events":
        raise ValueError(f"there is no executor '{kind}': choose one of {', '.join(KINDS)}")
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError as error:
        raise ValueError("this rclpy has no EventsExecutor: choose another") from error
    # It enables faulthandler, which asks for the descriptor of standard error: a stand-in for that,
    # such as a notebook's, has none.
    with redirect_stderr(sys.__stderr__):
        return EventsExecutor(context=context)


def fastest_kind() -> str:
    """The fastest executor that this rclpy has."""
    return KINDS[0] if find_spec("rclpy.experimental") is not None else KINDS[1]


def _nothing() -> None:
    """What an executor does that is to end."""
