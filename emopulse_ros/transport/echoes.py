"""What a topic sends out of the process and its own subscriptions hear again."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterable

REMEMBERED = 512
"""How many messages a topic remembers to have sent out, to know them when they come back."""


class Echoes:
    """Keeps count of what each subscription is going to hear a second time.

    The middleware does not say in Python who sent a message, and it cannot be told to leave out
    the publishers of this process. So every message that is sent out is owed, once, to each
    subscription that listens outside and has had the item already; what is owed is an echo. A
    message that was lost on the way stays owed until it is forgotten.
    """

    def __init__(self) -> None:
        self._owed: dict[Hashable, Counter[object]] = {}
        self._listening: set[object] = set()
        self._kept: dict[object, deque[Hashable]] = {}
        self._lock = threading.Lock()

    def keep(self, writer: object, depth: int) -> None:
        """Remember what a transient-local publisher sends: the middleware will send it again."""
        with self._lock:
            self._kept[writer] = deque(maxlen=depth)

    def begin(self, reader: object, writers: Iterable[object]) -> None:
        """A subscription is about to listen outside; ``writers`` are those that it has heard."""
        with self._lock:
            self._listening.add(reader)
            for writer in writers:
                for identity in self._kept.get(writer, ()):
                    self._owe(identity, [reader])

    def end(self, reader: object) -> None:
        """A subscription listens no more."""
        with self._lock:
            self._listening.discard(reader)
            for owed in self._owed.values():
                owed.pop(reader, None)

    def forget(self, writer: object) -> None:
        """A publisher has left; what it sent last may still be on its way."""
        with self._lock:
            self._kept.pop(writer, None)

    def expect(self, writer: object, identity: Hashable, readers: Iterable[object]) -> None:
        """A message is about to be sent out; ``readers`` have had the item inside."""
        with self._lock:
            if writer in self._kept:
                self._kept[writer].append(identity)
            self._owe(identity, [reader for reader in readers if reader in self._listening])

    def is_echo(self, identity: Hashable, reader: object) -> bool:
        """Whether a message that a subscription hears from outside is one it has had inside."""
        with self._lock:
            owed = self._owed.get(identity)
            if owed is None or not owed[reader]:
                return False
            owed[reader] -= 1
            return True

    def _owe(self, identity: Hashable, readers: list[object]) -> None:
        if not readers:
            return
        owed = self._owed.pop(identity, None) or Counter()
        owed.update(readers)
        self._owed[identity] = owed
        if len(self._owed) > REMEMBERED:
            del self._owed[next(iter(self._owed))]
