"""An executor that runs the callbacks of nodes in a thread of its own."""

from __future__ import annotations

import concurrent.futures
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from types import TracebackType
from typing import Any, TypeVar

from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
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

    def __init__(self, context: Any) -> None:
        self._context = context
        self.executor = _fastest_executor(context)
        self._over = Future()
        self._thread = threading.Thread(target=self._spin, name="executor", daemon=True)

    def add(self, *nodes: Any) -> None:
        """Run the callbacks of these nodes from now on."""
        for node in nodes:
            self.executor.add_node(node)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; callbacks that have begun come to their end first."""
        self._over.set_result(None)
        self.executor.wake()
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


def _fastest_executor(context: Any) -> Any:
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor(context=context)
    # It enables faulthandler, which asks for the descriptor of standard error: a stand-in for that,
    # such as a notebook's, has none.
    with redirect_stderr(sys.__stderr__):
        return EventsExecutor(context=context)
