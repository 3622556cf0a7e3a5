"""The qualities of service that a topic inside a process can have."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile


def checked(qos: QoSProfile | int) -> QoSProfile:
    """Return a profile (a number is a depth, as in rclpy) if a ring can give what it asks for.

    :raises ValueError: if it asks to keep all, or for items from before the subscription.
    """
    if isinstance(qos, int):
        qos = QoSProfile(depth=qos)
    if qos.history != HistoryPolicy.KEEP_LAST or qos.depth < 1:
        raise ValueError("topics inside a process keep the last items: give a depth of at least 1")
    if qos.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        raise ValueError("topics inside a process are volatile: transient local is not supported")
    return qos
