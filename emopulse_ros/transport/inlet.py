"""The ROS side of a subscription: what publishers outside the process send."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation
from emopulse_ros.transport.events import (
    Events,
    SubscriptionEventCallbacks,
    no_events,
    subscription_events,
)
from emopulse_ros.transport.topics import Member, Topic, have_look
from emopulse_ros.transport.turn import in_turn

Item = TypeVar("Item")


class Inlet(Generic[Item]):
    """A ROS subscription that is open unless it could only hear the publishers of this process.

    While those have a mirror out, everything they send comes back through the middleware, at the
    price of receiving it. So a topic that has publishers here gets a ROS subscription only once
    there is one outside as well; then what comes back is known by its identity and left out.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item],
        name: str,
        topic: Topic,
        reader: Member,
        qos: QoSProfile,
        group: Any,
        deliver: Callable[[Item], None],
    ) -> None:
        self.refused = 0
        """Messages that could not be converted."""
        self._node = node
        self._adaptation = adaptation
        # As it was given: a name that ROS has resolved once would be remapped twice.
        self._name = name
        self._topic = topic
        self._reader = reader
        self._qos = qos
        self._group = group
        self._deliver = deliver
        self._lock = threading.Lock()
        self._is_over = False
        self._subscription: Any = None

    @property
    def is_open(self) -> bool:
        """Whether there is a ROS subscription."""
        return self._subscription is not None

    @property
    def events(self) -> Events:
        """Events of the ROS subscription; their owner is to wait for them."""
        with self._lock:
            return () if self._subscription is None else subscription_events(self._subscription)

    @property
    def publishers(self) -> int:
        """Number of publishers outside that it hears."""
        if self._subscription is None:
            return 0
        here = len(self._topic.writers_of(self._reader))
        return max(0, int(self._subscription.get_publisher_count()) - here)

    def is_as_needed(self) -> bool:
        """Whether it is open or closed as the publishers on the topic ask for."""
        here = len(self._topic.writers_of(self._reader))
        needed = here == 0 or self._node.count_publishers(self._topic.name) > here
        return needed == self.is_open

    def arrange(self) -> None:
        """Open or close it, as is needed; to be called where the node's entities may change."""
        with self._lock:
            if self._is_over or self.is_as_needed():
                return
            if self.is_open:
                self._leave()
                return
            # From now on what is heard inside is expected a second time.
            self._topic.echoes.begin(self._reader, self._topic.writers_of(self._reader))
            self._subscription = self._node.create_subscription(
                self._adaptation.message,
                self._name,
                self._receive,
                self._qos,
                callback_group=self._group,
                event_callbacks=no_events(SubscriptionEventCallbacks),
            )
            # Counted as one of ours only once it is there, not before: for a moment a publisher
            # may have taken it for one outside, which costs a message that nobody needs. The
            # other way round it would have kept one from somebody who is there.
            have_look(self._topic.writers_of(self._reader))

    def close(self) -> None:
        """Leave ROS for good."""
        with self._lock:
            self._is_over = True
            self._leave()

    def _leave(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            self._topic.echoes.end(self._reader)
            in_turn(self._node, lambda: self._node.destroy_subscription(subscription))

    def _receive(self, message: Any) -> None:
        if not self.is_open:
            # Closed already, because all that could still come was sent from here.
            return
        if self._topic.echoes.is_echo(self._adaptation.identity(message), self._reader):
            return
        try:
            item = self._adaptation.from_message(message)
        except ValueError as error:
            self.refused += 1
            self._node.get_logger().warning(
                f"a message on {self._topic.name} is of no use: {error}",
                throttle_duration_sec=5.0,
            )
            return
        self._deliver(item)
