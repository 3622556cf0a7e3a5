"""A subscription that gets the very objects that were published in its process."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from rclpy.qos import QoSProfile

from emopulse_ros.transport.adaptation import Adaptation, adapted
from emopulse_ros.transport.filters import SimpleFilter, stamped
from emopulse_ros.transport.inlet import Inlet
from emopulse_ros.transport.quality import checked
from emopulse_ros.transport.ring import Ring
from emopulse_ros.transport.topics import Topics
from emopulse_ros.transport.turn import Turn

Item = TypeVar("Item")

Callback = Callable[[Item], Coroutine[Any, Any, None] | None]


class Subscription(SimpleFilter, Generic[Item]):  # type: ignore[misc]
    """Calls ``callback`` with each item, in order, in the thread of the node's executor.

    An item of the same process is the published object itself, shared with all others: it is
    read-only. One from outside is converted first. As many as the QoS is deep may wait; then the
    oldest are overwritten.

    Where message_filters is installed it is a ``SimpleFilter`` too, as its ``Subscriber`` is:
    synchronisers and caches take it, and then it needs no callback of its own. They get an item
    that has no header as :class:`Stamped`.
    """

    def __init__(
        self,
        node: Any,
        adaptation: Adaptation[Item] | type[Item],
        topic: str,
        callback: Callback[Item] | None,
        qos: QoSProfile | int,
        *,
        owned: bool = False,
        callback_group: Any = None,
    ) -> None:
        """Join a topic; its name is resolved and remapped as ROS does.

        A ROS message type in place of the adaptation travels as itself. If ``owned``, every item
        is a deep copy that nobody else has, as a ``unique_ptr`` is in rclcpp; it is made just
        before the callback, so that what is overwritten costs nothing.

        :raises ValueError: if the QoS cannot be had inside a process.
        """
        SimpleFilter.__init__(self)
        self.adaptation = adapted(adaptation)
        self.qos = checked(qos)
        self.topic_name: str = node.resolve_topic_name(topic)
        self._node = node
        self._callback = callback
        self._owned = owned
        self._is_alive = True
        self._arrange_lock = threading.Lock()
        self._ring: Ring[tuple[Item, int]] = Ring(self.qos.depth)
        self.waited_ms = 0.0
        """How long the item that the callback is given has waited since it was published."""
        group = callback_group or node.default_callback_group
        read = self._read_and_await if inspect.iscoroutinefunction(callback) else self._read
        self._reading = Turn(node, group, read)
        self._arranging = Turn(node, group, self._arrange)
        self._inlet: Inlet[Item] | None = None
        self._topics = Topics.of(node.context)
        self._topic = self._topics.add_reader(self.topic_name, self)
        self._inlet = Inlet(
            node, self.adaptation, topic, self._topic, self, self.qos, group, self.deliver
        )
        try:
            self._arrange()
        except BaseException:
            self.destroy()
            raise

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
    def is_outside(self) -> bool:
        """Whether it is one of the middleware's subscriptions, too."""
        return self._inlet is not None and self._inlet.is_open

    def get_publisher_count(self) -> int:
        """Number of publishers, inside this process and outside."""
        outside = 0 if self._inlet is None else self._inlet.publishers
        return len(self._topic.writers_of(self)) + outside

    def deliver(self, item: Item) -> None:
        """Take an item; the callback comes later, in the executor's thread."""
        if self._ring.push((item, time.monotonic_ns())):
            self._reading.ask()

    def look(self) -> None:
        """See whether outside publishers came or went, and whether the executor is another."""
        if not self._is_alive or self._inlet is None:
            self._topics.watch.end(self)
            return
        with self._node.handle:
            # Raises InvalidHandle if the node is no more, which tells the watch to clear away.
            pass
        if len(self._ring):
            self._reading.ask_again_if_lost()
        if not self._inlet.is_as_needed():
            self._arranging.ask()

    def warn(self, text: str) -> None:
        """Tell the node's owner."""
        self._node.get_logger().warning(text)

    @property
    def owner(self) -> str:
        """Name of its node."""
        return str(self._node.get_fully_qualified_name())

    def take_next(self, suits: Callable[[Item], bool]) -> Item | None:
        """The item that waits next, if ``suits`` says so; for a callback that works on several.

        It is called in the callback alone, which is not called with that item any more.
        """
        return self._take(lambda waiting: suits(waiting[0]))

    def destroy(self) -> None:
        """Leave the topic; the callback is not called any more; safe to call twice."""
        if not self._is_alive:
            return
        self._is_alive = False
        self._topics.watch.end(self)
        self._topics.remove(self._topic, self)
        self._ring.clear()
        if self._inlet is not None:
            self._inlet.close()

    def abandon(self) -> None:
        """Let go of everything in a process that was forked."""
        self._is_alive = False
        self._ring = Ring(self.qos.depth)

    def _arrange(self) -> None:
        # From the constructor and, when a publisher has joined meanwhile, from the executor.
        with self._arrange_lock:
            if self._is_alive and self._inlet is not None:
                self._inlet.arrange()
                self._topics.watch.begin(self, self._node.context, self._inlet.events)

    def _read(self) -> None:
        try:
            item = self._take()
            if item is not None and self._callback is not None:
                self._callback(item)
        finally:
            self._go_on()

    async def _read_and_await(self) -> None:
        try:
            item = self._take()
            if item is not None and self._callback is not None:
                answer = self._callback(item)
                assert answer is not None
                await answer
        finally:
            self._go_on()

    def _take(self, suits: Callable[[tuple[Item, int]], bool] | None = None) -> Item | None:
        waiting = self._ring.take(suits)
        if waiting is None or not self._is_alive:
            return None
        item, since = waiting
        self.waited_ms = (time.monotonic_ns() - since) / 1e6
        if self._owned:
            item = self.adaptation.own(item)
        if self.callbacks:
            self.signalMessage(stamped(self.adaptation, item))
        return item

    def _go_on(self) -> None:
        if self._ring.has_more():
            self._reading.ask()
