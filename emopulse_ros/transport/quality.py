"""The qualities of service that a topic inside a process can have."""

from __future__ import annotations

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)


def checked(qos: QoSProfile | int) -> QoSProfile:
    """Return a profile (a number is a depth, as in rclpy) if a ring can give what it asks for.

    :raises ValueError: if it asks to keep all, or nothing.
    """
    if isinstance(qos, int):
        qos = QoSProfile(depth=qos)
    if qos.history != HistoryPolicy.KEEP_LAST or qos.depth < 1:
        raise ValueError("topics inside a process keep the last items: give a depth of at least 1")
    return qos


def mismatch(offered: QoSProfile, requested: QoSProfile) -> str | None:
    """Why a publisher cannot serve a subscription, in the middleware's words; None if it can."""
    compatibility, reason = qos_check_compatible(offered, requested)
    if compatibility != QoSCompatibility.ERROR:
        return None
    return str(reason).removeprefix("ERROR: ").strip().rstrip(";")


def is_latched(qos: QoSProfile) -> bool:
    """Whether those who come late get what was published before."""
    return bool(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def is_best_effort(qos: QoSProfile) -> bool:
    """Whether what is late may be left out."""
    return bool(qos.reliability == ReliabilityPolicy.BEST_EFFORT)
