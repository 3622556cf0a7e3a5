"""The items that wait for one reader: the newest few, the oldest overwritten and counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ring(Generic[Item]):
    """A queue between the threads that publish and the one that reads.

    It also holds whose turn it is. The push that finds the reader idle wakes it; from then on the
    reader has the turn until it finds the ring empty, so that no wake-up is lost and none is
    asked for twice.
    """

    def __init__(self, depth: int, *, newest_first: bool = False) -> None:
        """Make room for ``depth`` items.

        In a full ring the oldest gives way; if ``newest_first`` all do, so that a reader that is
        too slow is not always as far behind as the ring is deep.

        :raises ValueError: if ``depth`` is less than 1.
        """
        if depth < 1:
            raise ValueError(f"the depth of a ring is {depth}, but it must be at least 1")
        self.depth = depth
        self.overwritten = 0
        """Items that gave way to newer ones before they were read."""
        self._newest_first = newest_first
        self._items: deque[Item] = deque()
        self._reading = False
        self._lock = Lock()

    def push(self, item: Item) -> bool:
        """Add the newest item; return True if the reader is idle and must be woken."""
        with self._lock:
            if len(self._items) == self.depth:
                self._make_room()
            self._items.append(item)
            idle = not self._reading
            self._reading = True
            return idle

    def take(self, suits: Callable[[Item], bool] | None = None) -> Item | None:
        """The oldest item, or None if there is none, or it is not one that ``suits``."""
        with self._lock:
            if not self._items or (suits is not None and not suits(self._items[0])):
                return None
            return self._items.popleft()

    def has_more(self) -> bool:
        """End the reader's turn; True if there is more, in which case it keeps the turn."""
        with self._lock:
            self._reading = bool(self._items)
            return self._reading

    def clear(self) -> None:
        """Forget all items; they count as neither read nor overwritten."""
        with self._lock:
            self._items.clear()

    def _make_room(self) -> None:
        if self._newest_first:
            self.overwritten += len(self._items)
            self._items.clear()
        else:
            self.overwritten += 1
            self._items.popleft()

    def __len__(self) -> int:
        return len(self._items)
