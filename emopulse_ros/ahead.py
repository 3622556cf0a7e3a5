"""Does the work behind an iterator in a thread, a few items ahead of who reads it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")

DEPTH = 8
"""Items that may wait to be read."""

_Handed = tuple[Item] | BaseException | None
"""An item, what making it raised, or the end."""


def ahead(items: Iterable[Item], depth: int = DEPTH) -> Generator[Item, None, None]:
    """The same items in the same order, made in a thread of their own.

    What making them raises is raised here. The thread ends with the items, or when the generator
    is closed.
    """
    made: queue.Queue[_Handed[Item]] = queue.Queue(depth)
    over = threading.Event()

    def hand_over(item: _Handed[Item]) -> bool:
        while not over.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=0.1)
                return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not hand_over((item,)):
                    return
            hand_over(None)
        except BaseException as error:
            hand_over(error)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while (handed := made.get()) is not None:
            if isinstance(handed, BaseException):
                raise handed
            yield handed[0]
    finally:
        over.set()
        thread.join()
