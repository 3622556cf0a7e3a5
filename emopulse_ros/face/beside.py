"""Work that runs beside the stream and answers in stream time.

Finding a face takes longer than the frame has. The stage asks on one frame and takes the answer a
fixed time later, so that a replay at any speed sees the same answer on the same frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

PAUSE_S = 0.002
"""How long a live stream's question waits before work on it begins: what else there is to be done
with a frame, in other threads, has the processors and the interpreter first."""


class Beside(Generic[Answer]):
    """One thread for one question at a time.

    ``wait`` says what to do when an answer is due and not there: wait for it (a replay, as fast as
    it can), or count it in ``late`` and go on without it (a live stream).
    """

    def __init__(self, *, wait: bool) -> None:
        self.late = 0
        self._wait = wait
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._pending: Future[Answer] | None = None

    def ask(self, question: Callable[[], Answer]) -> None:
        """Start work on a question; whatever was asked before is forgotten."""
        self._pending = self._pool.submit(question if self._wait else partial(_later, question))

    @property
    def busy(self) -> bool:
        """Whether an answer that came too late is still being worked on."""
        return not self._wait and self._pending is not None and not self._pending.done()

    def take(self) -> tuple[bool, Answer | None]:
        """The answer to the last question, which is due now: whether it is there, and what it is.

        What the question raised is raised here.
        """
        pending = self._pending
        if pending is None:
            return False, None
        if not self._wait and not pending.done():
            self.late += 1
            return False, None
        self._pending = None
        return True, pending.result()

    def forget(self) -> None:
        """Drop the last question; what comes of it is nobody's business any more."""
        self._pending = None

    def close(self) -> None:
        """Let the thread go."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _later(question: Callable[[], Answer]) -> Answer:
    time.sleep(PAUSE_S)
    return question()
