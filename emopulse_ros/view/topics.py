"""The topics that Foxglove is served, and what is said on each.

Those that ROS has too have its name and its fields, so that one layout draws both.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from emopulse_ros.facs import unit
from emopulse_ros.stream import Activation, MicroExpression
from emopulse_ros.view.health import Health

IMAGE = "/emopulse/camera/image_raw"
ANNOTATIONS = "/emopulse/camera/annotations"
ACTIVATION = "/emopulse/au_activation"
EVENTS = "/emopulse/events"
HEALTH = "/emopulse/health"

SECOND = 1_000_000_000

_NUMBER = {"type": "number"}
_COUNT = {"type": "integer"}
_NUMBERS = {"type": "array", "items": _NUMBER}
_MAYBE = {"type": ["number", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


ACTIVATION_SCHEMA: dict[str, Any] = {
    "title": "emopulse.AUActivation",
    **_object(
        header=_object(stamp=_object(sec=_COUNT, nsec=_COUNT), frame_id={"type": "string"}),
        sequence=_COUNT,
        face_id=_COUNT,
        codes={"type": "array", "items": _COUNT},
        probability=_NUMBERS,
        intensity=_NUMBERS,
        attention=_NUMBER,
        latency_ms=_NUMBER,
    ),
}
"""The fields of ``emopulse_msgs/AUActivation`` that curves are drawn of."""

HEALTH_SCHEMA: dict[str, Any] = {
    "title": "emopulse.Health",
    **_object(
        rate=_NUMBER,
        latency_median_ms=_MAYBE,
        latency_p99_ms=_MAYBE,
        frames=_COUNT,
        dropped=_COUNT,
        late=_COUNT,
        failed=_COUNT,
        not_shown=_COUNT,
        status={"type": "string"},
    ),
}
"""The fields of :class:`Health`."""


def activation_fields(activation: Activation, latency_ms: float) -> dict[str, Any]:
    """An activation as its topic has it."""
    sec, nsec = divmod(activation.stamp, SECOND)
    return {
        "header": {"stamp": {"sec": sec, "nsec": nsec}, "frame_id": activation.frame_id},
        "sequence": activation.sequence,
        "face_id": activation.face_id,
        "codes": activation.codes,
        "probability": activation.probability.tolist(),
        "intensity": activation.intensity.tolist(),
        "attention": float(activation.attention),
        "latency_ms": latency_ms,
    }


def health_fields(health: Health) -> dict[str, Any]:
    """A stream's health as its topic has it."""
    return asdict(health)


def event_sentence(event: MicroExpression) -> str:
    """A micro-expression in a line."""
    units = " + ".join(f"AU{code:02d} {unit(code).name}" for code in event.aus)
    return f"{units}: {event.duration_ms:.0f} ms, confidence {event.confidence:.2f}"
