"""A publisher that hands one object to all subscriptions of the process."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation, adapted
from emopulse_ros.transport.events import publisher_events
from emopulse_ros.transport.mirror import Mirror, Readers
from emopulse_ros.transport.quality import checked, is_latched
from emopulse_ros.transport.subscription import Subscription
from emopulse_ros.transport.topics import Topics, have_look

Item = TypeVar("Item")


class Publisher(Generic[Item]):
    """Publishes items of a travelling type on a topic of a node.

    Subscriptions of the same context, topic and type get the object itself. While somebody
    outside subscribes, and only then, it is also converted and published as a ROS message: beside
    the stream, where old ones give way if too many wait; or, if ``inline``, in :meth:`publish`
    itself, which suits small messages that all must arrive.

    Transient local: subscriptions that come later get the last items, as many as both sides keep.
    Those outside get them from the middleware, which must have had them in time; so, as in rclcpp,
    the messages of such a publisher are made whether anybody listens or not.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item] | type[Item],
        topic: str,
        qos: QoSProfile | int,
        *,
        inline: bool = False,
    ) -> None:
        """Join a topic; its name is resolved and remapped as ROS does.

        A ROS message type in place of the adaptation travels as itself.

        :raises ValueError: if the QoS cannot be had inside a process.
        """
        self.adaptation = adapted(adaptation)
        self.qos = checked(qos)
        self.topic_name: str = node.resolve_topic_name(topic)
        self.readers: tuple[Subscription[Item], ...] = ()
        """The subscriptions of this process that it reaches."""
        self._node = node
        self._inline = inline
        self._is_latched = is_latched(self.qos)
        self._latched: deque[Item] = deque(maxlen=self.qos.depth if self._is_latched else 0)
        self._is_alive = True
        self._is_inherited = False
        # Held for as long as it takes to hand an item to all: they get all items in one order,
        # and one that joins gets each item either as a late or as a new one.
        self._lock = threading.Lock()
        self._topics = Topics.of(node.context)
        self._topic = self._topics.add_writer(self.topic_name, self)
        if self._is_latched:
            self._topic.echoes.keep(self, self.qos.depth)
        try:
            self._mirror = Mirror(
                node,
                self.adaptation,
                topic,
                self.qos,
                count_own=lambda: sum(reader.is_outside for reader in self.readers),
                on_sending=self._expect_echo,
            )
        except BaseException:
            self._topics.remove(self._topic, self)
            raise
        if not inline:
            self._topics.courier.hire(self)
        events = publisher_events(self._mirror.publisher, self.look)
        self._topics.watch.begin(self, node.context, events)
        # Of who came before the events there is no event.
        self.look()
        # Nobody here needs the middleware any more to hear of this topic: not in half a second but
        # before what is published next comes in that way, too.
        have_look(self.readers)

    @property
    def wanted(self) -> bool:
        """Whether anybody would get an item that were published now, or may get it later."""
        return self._is_alive and (
            bool(self.readers) or self._mirror.listeners > 0 or self._is_latched
        )

    @property
    def lost(self) -> int:
        """Items that nobody outside got although somebody listened."""
        return self._mirror.lost

    def get_subscription_count(self) -> int:
        """Number of subscriptions, inside this process and outside."""
        return len(self.readers) + self._mirror.listeners

    def publish(self, item: Item) -> None:
        """Hand an item to all; from now on nobody changes it.

        :raises TypeError: if it is not of the travelling type.
        :raises ValueError: if one of its arrays can be written to.
        :raises RuntimeError: if the process was forked since the publisher was made.
        """
        self.adaptation.check(item)
        if self._is_inherited:
            raise RuntimeError(
                f"the publisher of {self.topic_name} was made before this process was forked: "
                "make a context, a node and a publisher of its own in the new process"
            )
        with self._lock:
            self._latched.append(item)
            for reader in self.readers:
                reader.deliver(item)
            if self._mirror.listeners or (self._is_latched and self._is_alive):
                self._send(item)

    def connect(self, reader: Subscription[Item]) -> None:
        """Reach a subscription from now on; it gets the last items if both keep them."""
        with self._lock:
            self.readers = (*self.readers, reader)
            if is_latched(reader.qos):
                for item in list(self._latched)[-reader.qos.depth :]:
                    reader.deliver(item)

    def disconnect(self, reader: Any) -> None:
        """Reach it no more."""
        with self._lock:
            self.readers = tuple(other for other in self.readers if other is not reader)

    def carry(self) -> None:
        """Publish outside what waits for it."""
        if self._mirror.carry():
            # One at a time: there are others who wait for the courier.
            self._topics.courier.ring()

    def look(self) -> None:
        """See whether anybody outside is there."""
        self._mirror.look()

    def warn(self, text: str) -> None:
        """Tell the node's owner."""
        self._node.get_logger().warning(text)

    @property
    def owner(self) -> str:
        """Name of its node."""
        return str(self._node.get_fully_qualified_name())

    def destroy(self) -> None:
        """Leave the topic; safe to call twice."""
        if not self._is_alive:
            return
        self._is_alive = False
        self._topics.watch.end(self)
        self._topics.courier.dismiss(self)
        self._topics.remove(self._topic, self)
        self._topic.echoes.forget(self)
        with self._lock:
            readers, self.readers = self.readers, ()
            self._latched.clear()
        self._mirror.close()
        have_look(readers)

    def abandon(self) -> None:
        """Let go of everything in a process that was forked."""
        self._is_alive, self._is_inherited = False, True
        self._lock = threading.Lock()
        self.readers = ()
        self._latched.clear()
        self._mirror.abandon()

    def _send(self, item: Item) -> None:
        if self._inline:
            self._mirror.publish(item, self.readers)
        elif self._mirror.offer(item, self.readers):
            self._topics.courier.ring()

    def _expect_echo(self, identity: Hashable, readers: Readers) -> None:
        self._topic.echoes.expect(self, identity, readers)
