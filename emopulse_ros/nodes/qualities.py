"""Quality of service of every topic, and why."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _last(depth: int, reliability: ReliabilityPolicy) -> QoSProfile:
    return QoSProfile(
        depth=depth,
        history=HistoryPolicy.KEEP_LAST,
        reliability=reliability,
        durability=DurabilityPolicy.VOLATILE,
    )


def images(depth: int = 5) -> QoSProfile:
    """Sensor data: a picture that is lost is old before it could be sent again.

    Best effort reaches best-effort subscriptions only, as with every camera driver.
    """
    return _last(depth, ReliabilityPolicy.BEST_EFFORT)


def flow(depth: int = 10) -> QoSProfile:
    """Reliable: the network remembers, and a step that is lost leaves a hole in its memory.

    Ten steps of a face are 50 ms at 200 Hz; a reader that is slower than that loses the oldest.
    """
    return _last(depth, ReliabilityPolicy.RELIABLE)


def activations(depth: int = 200) -> QoSProfile:
    """Reliable, which suits both kinds of subscription: consumers of action units ask for it.

    The depth lets a reader that was held up for a second get everything it missed. Keep-last
    never makes the publisher wait for a slow one.
    """
    return _last(depth, ReliabilityPolicy.RELIABLE)


def looked_at(depth: int = 2) -> QoSProfile:
    """Reliable, for tools that show images mostly ask for it; few and the newest, for an eye."""
    return _last(depth, ReliabilityPolicy.RELIABLE)


def events(depth: int = 10) -> QoSProfile:
    """Reliable: few, small, and each matters; volatile, for an old one is no news."""
    return _last(depth, ReliabilityPolicy.RELIABLE)
