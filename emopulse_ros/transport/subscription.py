"""A subscription that gets the very objects that were published in its process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.inlet import Inlet
from emopulse_ros.transport.quality import checked
from emopulse_ros.transport.ring import Ring
from emopulse_ros.transport.topics import Topics
from emopulse_ros.transport.turn import Turn

Item = TypeVar("Item")


class Subscription(Generic[Item]):
    """Calls ``callback`` with each item, in order, in the thread of the node's executor.

    An item of the same process is the published object itself, shared with all others: it is
    read-only, and who wants to change it makes a copy. One from outside is converted first. As
    many as the QoS is deep may wait; then the oldest are overwritten.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item],
        topic: str,
        callback: Callable[[Item], None],
        qos: QoSProfile | int,
        *,
        callback_group: Any = None,
    ) -> None:
        """Join a topic; its name is resolved and remapped as ROS does.

        :raises ValueError: if the QoS cannot be had inside a process.
        """
        self.adaptation = adaptation
        self.qos = checked(qos)
        self.topic_name: str = node.resolve_topic_name(topic)
        self._node = node
        self._callback = callback
        self._is_alive = True
        self._ring: Ring[tuple[Item, int]] = Ring(self.qos.depth)
        self.waited_ms = 0.0
        """How long the item that the callback is given has waited since it was published."""
        group = callback_group or node.default_callback_group
        self._reading = Turn(node, group, self._read)
        self._inlet: Inlet[Item] | None = None
        self._topics = Topics.of(node.context)
        self._topic = self._topics.add_reader(self.topic_name, self)
        self._inlet = Inlet(node, adaptation, topic, self._topic, self.qos, group, self.deliver)
        self._inlet.arrange()
        self._arranging = Turn(node, group, self._arrange)
        self._topics.courier.hire(self)

    @property
    def overwritten(self) -> int:
        """Items that gave way to newer ones before the callback saw them."""
        return self._ring.overwritten

    @property
    def waiting(self) -> int:
        """Items that wait for the callback."""
        return len(self._ring)

    @property
    def refused(self) -> int:
        """Messages from outside that could not be converted."""
        return 0 if self._inlet is None else self._inlet.refused

    @property
    def is_listening_outside(self) -> bool:
        """Whether it has a ROS subscription."""
        return self._inlet is not None and self._inlet.is_open

    def get_publisher_count(self) -> int:
        """Number of publishers, inside this process and outside."""
        outside = 0 if self._inlet is None else self._inlet.publishers
        return self._topic.writers_of(self) + outside

    def deliver(self, item: Item) -> None:
        """Take an item; the callback comes later, in the executor's thread."""
        if self._ring.push((item, time.monotonic_ns())):
            self._reading.ask()

    def carry(self) -> None:
        """Nothing waits here to be carried outside."""

    def look(self) -> None:
        """See whether outside publishers came or went, and whether the executor is another."""
        if not self._is_alive or self._inlet is None:
            return
        with self._node.handle:
            # Raises InvalidHandle if the node is no more, which tells the courier to clear away.
            pass
        if len(self._ring):
            self._reading.ask_again_if_lost()
        if not self._inlet.is_as_needed():
            self._arranging.ask()

    def warn(self, text: str) -> None:
        """Tell the node's owner."""
        self._node.get_logger().warning(text)

    def destroy(self) -> None:
        """Leave the topic; the callback is not called any more."""
        self._is_alive = False
        self._topics.courier.dismiss(self)
        self._topics.remove(self._topic, self)
        self._ring.clear()
        if self._inlet is not None:
            self._inlet.close()

    def _arrange(self) -> None:
        if self._is_alive and self._inlet is not None:
            self._inlet.arrange()

    def _read(self) -> None:
        waiting = self._ring.take()
        try:
            if waiting is not None and self._is_alive:
                item, since = waiting
                self.waited_ms = (time.monotonic_ns() - since) / 1e6
                self._callback(item)
        finally:
            if self._ring.has_more():
                self._reading.ask()
