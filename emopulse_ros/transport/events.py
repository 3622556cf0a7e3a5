"""What the middleware tells of a ROS publisher or subscription: matches, and wrong QoS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup

try:
    from rclpy.event_handler import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )
except ImportError:
    # Its name until Humble.
    from rclpy.qos_event import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )

Events = tuple[Any, ...]


def no_events(kind: type[Any]) -> Any:
    """The event callbacks of an entity whose executor is to hear of none."""
    return kind(use_default_callbacks=False)


def publisher_events(publisher: Any, on_match: Callable[[], None]) -> Events:
    """Events of a ROS publisher: rclpy's own warnings, and that subscriptions come and go.

    Before Iron there is no event for the latter.
    """
    try:
        wanted = PublisherEventCallbacks(matched=lambda _: on_match())
        return _events(wanted, publisher)
    except (UnsupportedEventTypeError, TypeError):
        return _events(PublisherEventCallbacks(), publisher)


def subscription_events(subscription: Any) -> Events:
    """Events of a ROS subscription: rclpy's own warnings."""
    return _events(SubscriptionEventCallbacks(), subscription)


def _events(wanted: Any, entity: Any) -> Events:
    group = ReentrantCallbackGroup()
    return tuple(wanted.create_event_handlers(group, entity.handle, entity.topic_name))


__all__ = [
    "Events",
    "PublisherEventCallbacks",
    "SubscriptionEventCallbacks",
    "no_events",
    "publisher_events",
    "subscription_events",
]
