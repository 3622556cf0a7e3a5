"""Two ways of a picture from a publisher to the subscriptions of its own process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from emopulse_ros.bag.messages import from_time
from emopulse_ros.nodes import qualities
from emopulse_ros.nodes.images import image_adaptation, to_image
from emopulse_ros.stream import Frame
from emopulse_ros.transport import Publisher, Subscription

Picture = NDArray[np.uint8]

KEPT = 64
"""Pictures on their way that are remembered; far more than any queue here is deep."""


class Arrivals:
    """What subscriptions got: the time of each hop, and the bytes that had to be copied for it."""

    def __init__(self) -> None:
        self.hops_ns: list[int] = []
        """From the picture at the publisher to the picture in the callback, by one clock."""
        self.copied = 0
        """Bytes of pictures that came in another place in memory than they were sent from."""
        self._begin = 0
        self._on_the_way: dict[int, Picture] = {}

    def leaves(self, stamp: int, picture: Picture) -> None:
        """To be called before a picture is published, with where it then lies in memory."""
        self._on_the_way[stamp] = picture
        if len(self._on_the_way) > KEPT:
            del self._on_the_way[next(iter(self._on_the_way))]

    def came(self, stamp: int, picture: Picture) -> None:
        """To be called in the callback, first thing."""
        now = time.monotonic_ns()
        if stamp < self._begin:
            return
        self.hops_ns.append(now - stamp)
        sent = self._on_the_way.get(stamp)
        if sent is None or not np.shares_memory(sent, picture):
            self.copied += picture.nbytes

    def copied_on_the_way(self, stamp: int, picture: Picture) -> None:
        """To be called when a picture is copied into a message."""
        if stamp >= self._begin:
            self.copied += picture.nbytes

    def clear(self) -> None:
        """Forget what came so far, and leave out what is still to come of it."""
        self.hops_ns.clear()
        self.copied = 0
        self._begin = time.monotonic_ns()


class Hop(Protocol):
    """A publisher and its subscriptions."""

    arrivals: Arrivals

    def publish(self, picture: Picture) -> None:
        """Send a picture that is read-only."""
        ...

    def listeners(self) -> int:
        """How many subscriptions the publisher has found, here and outside."""
        ...

    def close(self) -> None:
        """Leave the topic."""
        ...


class ZeroCopyHop:
    """``Frame`` over the topics of :mod:`emopulse_ros.transport`."""

    def __init__(self, publishing: Any, reading: Any, topic: str, subscribers: int) -> None:
        self.arrivals = Arrivals()
        adaptation = image_adaptation()
        to_message = adaptation.to_message

        def convert(frame: Frame) -> Any:
            self.arrivals.copied_on_the_way(frame.stamp, frame.image)
            return to_message(frame)

        adaptation = replace(adaptation, to_message=convert)
        quality = qualities.images()
        self._subscriptions = [
            Subscription(
                reading,
                adaptation,
                topic,
                lambda frame: self.arrivals.came(frame.stamp, frame.image),
                quality,
            )
            for _ in range(subscribers)
        ]
        self._publisher = Publisher(publishing, adaptation, topic, quality)
        self._number = 0

    def publish(self, picture: Picture) -> None:
        self._number += 1
        stamp = time.monotonic_ns()
        self.arrivals.leaves(stamp, picture)
        self._publisher.publish(Frame(stamp, self._number, picture))

    def listeners(self) -> int:
        return self._publisher.get_subscription_count()

    def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.destroy()
        self._publisher.destroy()


class DdsHop:
    """``sensor_msgs/Image`` over plain rclpy."""

    def __init__(self, publishing: Any, reading: Any, topic: str, subscribers: int) -> None:
        self.arrivals = Arrivals()
        self._nodes = publishing, reading
        self._subscriptions = listen(reading, topic, subscribers, self.arrivals.came)
        self._publisher = publishing.create_publisher(Image, topic, qualities.images())

    def publish(self, picture: Picture) -> None:
        stamp = time.monotonic_ns()
        message = to_image(Frame(stamp, 0, picture))
        self.arrivals.copied_on_the_way(stamp, picture)
        self.arrivals.leaves(stamp, _picture(message))
        self._publisher.publish(message)

    def listeners(self) -> int:
        return int(self._publisher.get_subscription_count())

    def close(self) -> None:
        publishing, reading = self._nodes
        for subscription in self._subscriptions:
            reading.destroy_subscription(subscription)
        publishing.destroy_publisher(self._publisher)


def listen(
    node: Any, topic: str, subscribers: int, came: Callable[[int, Picture], None]
) -> list[Any]:
    """Subscribe some times to images with plain rclpy; ``came`` gets stamp in ns and picture."""

    def receive(message: Any) -> None:
        came(from_time(message.header.stamp), _picture(message))

    return [
        node.create_subscription(Image, topic, receive, qualities.images())
        for _ in range(subscribers)
    ]


def _picture(message: Any) -> Picture:
    return np.frombuffer(message.data, np.uint8)
