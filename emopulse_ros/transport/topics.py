"""Which publishers and subscriptions of a context belong together."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Hashable
from typing import Any, ClassVar, Protocol

from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.courier import Courier

REMEMBERED = 512
"""How many items a topic remembers to have sent out, to know them when they come back."""


class Writer(Protocol):
    """A publisher, as a topic knows it."""

    adaptation: Adaptation[Any]
    qos: QoSProfile
    readers: tuple[Any, ...]


class Reader(Protocol):
    """A subscription, as a topic knows it."""

    adaptation: Adaptation[Any]
    qos: QoSProfile

    @property
    def is_listening_outside(self) -> bool:
        """Whether it has a ROS subscription."""
        ...

    def warn(self, text: str) -> None:
        """Tell the node's owner."""
        ...


class Topic:
    """One fully resolved name: who publishes and who subscribes to it in this context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.writers: tuple[Writer, ...] = ()
        self.readers: tuple[Reader, ...] = ()
        self._sent: deque[Hashable] = deque(maxlen=REMEMBERED)

    def writers_of(self, reader: Reader) -> int:
        """How many publishers of this context reach a subscription."""
        return sum(reader in writer.readers for writer in self.writers)

    def listeners(self) -> int:
        """How many ROS subscriptions this context has on the topic."""
        return sum(reader.is_listening_outside for reader in self.readers)

    def remember(self, identity: Hashable) -> None:
        """Note that an item is sent out, if it could come back."""
        if self.listeners():
            self._sent.append(identity)

    def has_sent(self, identity: Hashable) -> bool:
        """Whether an item that comes in is one that was sent out from here."""
        return identity in self._sent

    def match(self) -> None:
        """Find for each publisher the subscriptions it reaches: same type, compatible QoS."""
        for writer in self.writers:
            writer.readers = tuple(reader for reader in self.readers if self._fit(writer, reader))

    def _fit(self, writer: Writer, reader: Reader) -> bool:
        if writer.adaptation.item is not reader.adaptation.item:
            return False
        compatibility, reason = qos_check_compatible(writer.qos, reader.qos)
        if compatibility == QoSCompatibility.ERROR:
            reader.warn(f"no item of {self.name} from a publisher of this process: {reason}")
            return False
        return True


class Topics:
    """All topics of one context, and the courier that works for them."""

    _of: ClassVar[weakref.WeakKeyDictionary[Any, Topics]] = weakref.WeakKeyDictionary()
    _of_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.courier = Courier()
        self._topics: dict[str, Topic] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, context: Any) -> Topics:
        """The topics of a context."""
        with cls._of_lock:
            return cls._of.setdefault(context, cls())

    def names(self) -> tuple[str, ...]:
        """The names of the topics that have a publisher or a subscription here."""
        with self._lock:
            return tuple(self._topics)

    def add_writer(self, name: str, writer: Writer) -> Topic:
        """Let a publisher join a topic."""
        with self._lock:
            topic = self._topics.setdefault(name, Topic(name))
            topic.writers = (*topic.writers, writer)
            topic.match()
            return topic

    def add_reader(self, name: str, reader: Reader) -> Topic:
        """Let a subscription join a topic."""
        with self._lock:
            topic = self._topics.setdefault(name, Topic(name))
            topic.readers = (*topic.readers, reader)
            topic.match()
            return topic

    def remove(self, topic: Topic, member: Writer | Reader) -> None:
        """Let a publisher or a subscription leave its topic; a topic nobody is left on goes."""
        with self._lock:
            topic.writers = tuple(writer for writer in topic.writers if writer is not member)
            topic.readers = tuple(reader for reader in topic.readers if reader is not member)
            topic.match()
            if not topic.writers and not topic.readers:
                self._topics.pop(topic.name, None)
