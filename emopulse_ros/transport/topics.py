"""Which publishers and subscriptions of a context belong together."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar, Protocol

from rclpy.exceptions import InvalidHandle
from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.courier import Courier
from emopulse_ros.transport.echoes import Echoes
from emopulse_ros.transport.quality import mismatch
from emopulse_ros.transport.watch import Watch


class Member(Protocol):
    """A publisher or a subscription, as a topic knows it."""

    adaptation: Adaptation[Any]
    qos: QoSProfile

    @property
    def owner(self) -> str:
        """Name of its node."""
        ...

    def warn(self, text: str) -> None:
        """Tell the node's owner."""
        ...

    def look(self) -> None:
        """See who is there outside."""
        ...

    def destroy(self) -> None:
        """Leave the topic."""
        ...

    def abandon(self) -> None:
        """Let go of everything, without touching the middleware or a lock: see Topics."""
        ...


class Writer(Member, Protocol):
    """A publisher, as a topic knows it."""

    readers: tuple[Any, ...]

    def connect(self, reader: Any) -> None:
        """Reach a subscription from now on."""
        ...

    def disconnect(self, reader: Any) -> None:
        """Reach it no more."""
        ...


class Topic:
    """One fully resolved name: who publishes and who subscribes to it in this context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.writers: tuple[Writer, ...] = ()
        self.readers: tuple[Member, ...] = ()
        self.echoes = Echoes()

    def writers_of(self, reader: Member) -> tuple[Writer, ...]:
        """The publishers of this context that reach a subscription."""
        return tuple(writer for writer in self.writers if reader in writer.readers)

    def introduce(self, writer: Writer, reader: Member) -> None:
        """Connect a publisher and a subscription of the same type if their QoS allows it."""
        if writer.adaptation.item is not reader.adaptation.item:
            # Of another travelling type that is the same message: the middleware connects them.
            return
        reason = mismatch(writer.qos, reader.qos)
        if reason is None:
            writer.connect(reader)
            return
        writer.warn(
            f"the subscription of {reader.owner} to {self.name} asks for a quality of service "
            f"that this publisher does not offer, and gets nothing from it: {reason}"
        )
        reader.warn(
            f"the publisher of {writer.owner} on {self.name} does not offer the quality of service "
            f"that this subscription asks for, which gets nothing from it: {reason}"
        )


class Topics:
    """All topics of one context, and the threads that work for them.

    A process that forks takes none of it along: the threads that would empty the rings stay
    behind, so the child lets go of every item, but for one that such a thread has in its hands
    just then, and its publishers refuse to work.
    """

    _of: ClassVar[weakref.WeakKeyDictionary[Any, Topics]] = weakref.WeakKeyDictionary()
    _of_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.courier = Courier()
        self.watch = Watch()
        self._topics: dict[str, Topic] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, context: Any) -> Topics:
        """The topics of a context."""
        with cls._of_lock:
            topics = cls._of.get(context)
            if topics is None:
                topics = cls._of[context] = cls()
                context.on_shutdown(topics.close)
            return topics

    @classmethod
    def abandon_all(cls) -> None:
        """Begin anew in a process that was forked."""
        inherited = list(cls._of.values())
        cls._of = weakref.WeakKeyDictionary()
        cls._of_lock = threading.Lock()
        for topics in inherited:
            for topic in list(topics._topics.values()):
                for member in (*topic.writers, *topic.readers):
                    member.abandon()
            # Whatever still refers to it finds it empty, and no lock held by a thread left behind.
            Topics.__init__(topics)

    def close(self) -> None:
        """Have everybody leave; what a context does that is shut down."""
        with self._lock:
            topics = tuple(self._topics.values())
        for topic in topics:
            for member in (*topic.writers, *topic.readers):
                member.destroy()
        self.watch.join()

    @classmethod
    def close_all(cls) -> None:
        """Have everybody leave, everywhere; what a process does that ends.

        A thread that waits in the middleware when the interpreter goes would crash the process.
        """
        for topics in list(cls._of.values()):
            topics.close()

    def names(self) -> tuple[str, ...]:
        """The names of the topics that have a publisher or a subscription here."""
        with self._lock:
            return tuple(self._topics)

    def add_writer(self, name: str, writer: Writer) -> Topic:
        """Let a publisher join a topic."""
        with self._lock:
            topic = self._topics.setdefault(name, Topic(name))
            topic.writers = (*topic.writers, writer)
            for reader in topic.readers:
                topic.introduce(writer, reader)
            return topic

    def add_reader(self, name: str, reader: Member) -> Topic:
        """Let a subscription join a topic."""
        with self._lock:
            topic = self._topics.setdefault(name, Topic(name))
            topic.readers = (*topic.readers, reader)
            for writer in topic.writers:
                topic.introduce(writer, reader)
            return topic

    def remove(self, topic: Topic, member: Member) -> None:
        """Let a publisher or a subscription leave its topic; a topic nobody is left on goes."""
        with self._lock:
            topic.writers = tuple(writer for writer in topic.writers if writer is not member)
            topic.readers = tuple(reader for reader in topic.readers if reader is not member)
            for writer in topic.writers:
                writer.disconnect(member)
            if not topic.writers and not topic.readers:
                self._topics.pop(topic.name, None)


def have_look(members: Iterable[Member]) -> None:
    """Have each see who is there outside."""
    for member in members:
        # One whose node is gone is cleared away by the watch.
        with suppress(InvalidHandle):
            member.look()


atexit.register(Topics.close_all)
os.register_at_fork(after_in_child=Topics.abandon_all)
