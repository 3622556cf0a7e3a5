"""The ROS side of a publisher: at work while, and only while, somebody outside listens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from rclpy.exceptions import InvalidHandle
from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.events import PublisherEventCallbacks, no_events
from emopulse_ros.transport.quality import is_best_effort
from emopulse_ros.transport.ring import Ring
from emopulse_ros.transport.turn import in_turn

Item = TypeVar("Item")

Readers = tuple[Any, ...]
"""The subscriptions of this process that had an item before it went out."""


class Mirror(Generic[Item]):
    """Converts items and publishes them as ROS messages.

    The subscriptions of this context are told from those outside by their number, which
    ``count_own`` gives. ``on_sending`` is told the identity of each message before it leaves.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item],
        name: str,
        qos: QoSProfile,
        *,
        count_own: Callable[[], int],
        on_sending: Callable[[Any, Readers], None],
    ) -> None:
        self.listeners = 0
        """Subscriptions outside."""
        self.failed = 0
        """Items that could not be converted or published."""
        self._node = node
        self._adaptation = adaptation
        self._count_own = count_own
        self._on_sending = on_sending
        # Who takes sensor data wants it fresh; who asks for reliability wants it whole.
        self._pending: Ring[tuple[Item, Readers]] = Ring(
            qos.depth, newest_first=is_best_effort(qos)
        )
        self.publisher = node.create_publisher(
            adaptation.message, name, qos, event_callbacks=no_events(PublisherEventCallbacks)
        )
        """The ROS publisher."""
        self._name: str = self.publisher.topic_name

    @property
    def lost(self) -> int:
        """Items that gave way to newer ones, or could not be converted."""
        return self._pending.overwritten + self.failed

    def look(self) -> None:
        """Count who is outside."""
        count = int(self.publisher.get_subscription_count())
        self.listeners = max(0, count - self._count_own())

    def offer(self, item: Item, readers: Readers) -> bool:
        """Have an item published by :meth:`carry`; True if that must be asked for."""
        return self._pending.push((item, readers))

    def carry(self) -> bool:
        """Publish the first of the items that were offered; True if there are more."""
        waiting = self._pending.take()
        if waiting is not None:
            try:
                self.publish(*waiting)
            except Exception as error:
                # The courier works for others too, and the stream goes on.
                self.failed += 1
                self._node.get_logger().error(
                    f"cannot publish on {self._name}: {error}",
                    throttle_duration_sec=5.0,
                )
        return self._pending.has_more()

    def publish(self, item: Item, readers: Readers) -> None:
        """Publish an item at once."""
        message = self._adaptation.to_message(item)
        self._on_sending(self._adaptation.identity(message), readers)
        # Unless it was destroyed meanwhile.
        with suppress(InvalidHandle):
            self.publisher.publish(message)

    def close(self) -> None:
        """Leave ROS; what was not yet published is not published any more."""
        self.listeners = 0
        self._pending.clear()
        in_turn(self._node, lambda: self._node.destroy_publisher(self.publisher))

    def abandon(self) -> None:
        """Let go of the items without asking for a lock."""
        self.listeners = 0
        self._pending = Ring(self._pending.depth)
