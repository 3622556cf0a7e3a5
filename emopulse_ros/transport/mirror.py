"""The ROS side of a publisher: alive while, and only while, somebody outside listens."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

from rclpy.event_handler import PublisherEventCallbacks, UnsupportedEventTypeError
from rclpy.exceptions import InvalidHandle
from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.courier import Courier
from emopulse_ros.transport.topics import Topic

Item = TypeVar("Item")


class Mirror(Generic[Item]):
    """Converts items and publishes them as ROS messages.

    Who listens outside is known by the middleware's matched event; the subscriptions of this
    context are told apart by their number.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item],
        name: str,
        topic: Topic,
        qos: QoSProfile,
        courier: Courier,
    ) -> None:
        self.listeners = 0
        """Subscriptions outside."""
        self.sent = 0
        """Messages published."""
        self.lost = 0
        """Items that gave way to newer ones, or could not be converted."""
        self._node = node
        self._adaptation = adaptation
        self._topic = topic
        self._pending: deque[Item] = deque(maxlen=qos.depth)
        self._courier = courier
        try:
            self._publisher = node.create_publisher(
                adaptation.message,
                name,
                qos,
                event_callbacks=PublisherEventCallbacks(matched=lambda _: self.look()),
            )
        except UnsupportedEventTypeError:
            # This middleware has no matched event; the courier's looks have to do.
            self._publisher = node.create_publisher(adaptation.message, name, qos)
        self.look()

    @property
    def wanted(self) -> bool:
        """Whether anybody outside is there."""
        return self.listeners > 0

    def look(self) -> None:
        """Count who is outside."""
        count = int(self._publisher.get_subscription_count())
        self.listeners = max(0, count - self._topic.listeners())

    def offer(self, item: Item) -> None:
        """Publish an item soon, in the courier's thread; the oldest that wait give way."""
        if len(self._pending) == self._pending.maxlen:
            self.lost += 1
        self._pending.append(item)
        self._courier.ring()

    def carry(self) -> None:
        """Publish what was offered."""
        try:
            while self._pending:
                self.publish(self._pending.popleft())
        except Exception as error:
            # The courier works for others too, and the stream goes on.
            self.lost += 1
            self._node.get_logger().error(
                f"cannot publish on {self._topic.name}: {error}", throttle_duration_sec=5.0
            )

    def publish(self, item: Item) -> None:
        """Publish an item at once."""
        message = self._adaptation.to_message(item)
        self._topic.remember(self._adaptation.identity(message))
        try:
            self._publisher.publish(message)
        except InvalidHandle:
            # Destroyed meanwhile.
            return
        self.sent += 1

    def close(self) -> None:
        """Leave ROS; what was not yet published is not published any more."""
        self.listeners = 0
        self._pending.clear()
        self._node.destroy_publisher(self._publisher)
