"""Does the work behind an iterator in a thread, a few items ahead of who reads it."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEPTH = 8
"""Items that may wait to be read."""

_Handed = tuple[Item] | BaseException | None
"""An item, what making it raised, or the end."""

_JOIN_S = 2.0
"""Longest wait for an item that is still being made."""


class Ahead(Generic[Item]):
    """The same items in the same order, made in a thread of their own.

    What making them raises is raised here. The thread ends with the items, or when this is closed,
    dropped, or the interpreter exits; ``items`` must not refer to who holds this.
    """

    def __init__(self, items: Iterable[Item], depth: int = DEPTH) -> None:
        self._made: queue.Queue[_Handed[Item]] = queue.Queue(depth)
        over = threading.Event()
        maker = threading.Thread(
            target=_make, args=(items, self._made, over), name="ahead", daemon=True
        )
        self._stop = weakref.finalize(self, _stop, maker, over)
        maker.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        handed = self._made.get() if self._stop.alive else None
        if isinstance(handed, tuple):
            return handed[0]
        self.close()
        if handed is not None:
            raise handed
        raise StopIteration

    def close(self) -> None:
        """Make no more; safe to call twice and from another thread."""
        self._stop()


def _make(items: Iterable[Item], made: queue.Queue[_Handed[Item]], over: threading.Event) -> None:
    def hand_over(handed: _Handed[Item]) -> None:
        while not over.is_set():
            with suppress(queue.Full):
                made.put(handed, timeout=0.1)
                break

    try:
        for item in items:
            hand_over((item,))
            if over.is_set():
                break
        hand_over(None)
    except BaseException as error:  # the reader's thread is where it can be acted on
        hand_over(error)
    # A reader that waits while another thread closes is let go.
    with suppress(queue.Full):
        made.put_nowait(None)


def _stop(maker: threading.Thread, over: threading.Event) -> None:
    over.set()
    if maker is not threading.current_thread():
        maker.join(timeout=_JOIN_S)
