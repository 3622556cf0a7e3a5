"""A publisher that hands one object to all subscriptions of the process."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.mirror import Mirror
from emopulse_ros.transport.quality import checked
from emopulse_ros.transport.subscription import Subscription
from emopulse_ros.transport.topics import Topics

Item = TypeVar("Item")


class Publisher(Generic[Item]):
    """Publishes items of a travelling type on a topic of a node.

    Subscriptions of the same context, topic and type get the object itself. While somebody
    outside subscribes, and only then, it is also converted and published as a ROS message: beside
    the stream, where the oldest give way if too many wait; or, if ``inline``, in :meth:`publish`
    itself, which suits small messages that all must arrive.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item],
        topic: str,
        qos: QoSProfile | int,
        *,
        inline: bool = False,
    ) -> None:
        """Join a topic; its name is resolved and remapped as ROS does.

        :raises ValueError: if the QoS cannot be had inside a process.
        """
        self.adaptation = adaptation
        self.qos = checked(qos)
        self.topic_name: str = node.resolve_topic_name(topic)
        self.readers: tuple[Subscription[Item], ...] = ()
        """The subscriptions of this process that it reaches."""
        self._topics = Topics.of(node.context)
        self._inline = inline
        self._topic = self._topics.add_writer(self.topic_name, self)
        self._mirror = Mirror(node, adaptation, topic, self._topic, self.qos, self._topics.courier)

        self._topics.courier.hire(self)

    @property
    def wanted(self) -> bool:
        """Whether anybody would get an item that were published now."""
        return bool(self.readers) or self._mirror.wanted

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
        """
        self.adaptation.check(item)
        for reader in self.readers:
            reader.deliver(item)
        if self._mirror.wanted:
            if self._inline:
                self._mirror.publish(item)
            else:
                self._mirror.offer(item)

    def carry(self) -> None:
        """Publish outside what waits for it."""
        self._mirror.carry()

    def look(self) -> None:
        """See whether anybody outside is there."""
        self._mirror.look()

    def destroy(self) -> None:
        """Leave the topic."""
        self._topics.courier.dismiss(self)
        self._topics.remove(self._topic, self)
        self.readers = ()
        self._mirror.close()
