"""Faces as social robots know them: ``/humans/faces`` of REP-155.

Of each face its action units are published on ``/humans/faces/<id>/facs``. Ids and regions are
EmoPulse's own, or those of another face detector on the robot, whose faces are recognised by their
place in the picture.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.nodes.stamps import to_header, to_time
from emopulse_ros.stream import Activation, FlowStep

FACES = "/humans/faces"
"""REP-155 leaves no choice: these topics are absolute."""

PERIOD_S = 0.1
"""Between two looks at who has gone, and two lists of who is there."""

GONE_S = 1.0
"""How long a face that is not seen stays in the list: it may be hidden for that long."""

REGION_EVERY_NS = 33_000_000
"""Between two regions of a face: that of a camera of 30 frames a second, which is expected."""

CODES = 99
"""Entries of ``FacialActionUnits``, one for each FACS code."""

DEPTH = 200
"""A reader that is held up for a second misses nothing."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a face in parts of the picture, 0 to 1."""


def installed() -> bool:
    """Whether the messages of REP-155 are there."""
    try:
        import hri_msgs.msg  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(slots=True)
class _Face:
    """A face of ours: when it was last heard of, where it is, and where its units go."""

    heard: float = 0.0
    box: Box = (0.0, 0.0, 0.0, 0.0)
    region_told: int = 0
    name: str | None = None
    facs: Any = None
    region: Any = None


@dataclass(slots=True)
class _Other:
    """A face of another detector: its region, and our subscription to it."""

    subscription: Any
    box: Box | None = None


class Humans:
    """Publishes the action units of every face for whoever listens to REP-155.

    With ``follow`` it publishes no list and no regions, but waits for those of another detector.
    ``hri_msgs`` must be installed. All calls come from the thread that spins the node.
    """

    def __init__(self, node: Any, *, follow: bool) -> None:
        from hri_msgs.msg import FacialActionUnits, IdsList, NormalizedRegionOfInterest2D

        self._node = node
        self._follow = follow
        self._facs_type, self._region_type = FacialActionUnits, NormalizedRegionOfInterest2D
        self._ids_type = IdsList
        self._message = FacialActionUnits()
        self._intensity: NDArray[np.float32] = self._message.intensity
        self._confidence: NDArray[np.float32] = self._message.confidence
        self._rows: dict[tuple[int, ...], NDArray[np.intp]] = {}
        self._faces: dict[int, _Face] = {}
        self._others: dict[str, _Other] = {}
        self._stamp, self._frame_id = 0, ""
        self._list = None
        self._heard_list = None
        if follow:
            self._heard_list = node.create_subscription(
                IdsList, f"{FACES}/tracked", self._hear_ids, DEPTH
            )
        else:
            self._list = node.create_publisher(IdsList, f"{FACES}/tracked", DEPTH)
        self._timer = node.create_timer(PERIOD_S, self._look_round)

    @property
    def nameless(self) -> int:
        """Faces of ours that the other detector does not know."""
        # Asked from a thread of its own, while faces come and go.
        return sum(face.name is None for face in tuple(self._faces.values()))

    def tell(self, step: FlowStep, activation: Activation) -> None:
        """Publish what a face shows, as seen from one frame."""
        face = self._faces.get(activation.face_id)
        if face is None:
            face = self._faces[activation.face_id] = _Face()
        face.heard = time.monotonic()
        self._stamp, self._frame_id = activation.stamp, activation.frame_id
        if activation.stamp - face.region_told >= REGION_EVERY_NS or face.name is None:
            face.box = box_of(step)
            if face.name is None:
                self._give_name(activation.face_id, face)
            self._tell_region(face, activation)
        if face.facs is not None and face.facs.get_subscription_count():
            face.facs.publish(self._fill(activation))

    def close(self) -> None:
        """Take everything back."""
        self._node.destroy_timer(self._timer)
        for face in self._faces.values():
            self._unname(face)
        self._faces.clear()
        for name in list(self._others):
            self._forget_other(name)
        if self._list is not None:
            self._list.publish(self._ids())
            self._node.destroy_publisher(self._list)
        if self._heard_list is not None:
            self._node.destroy_subscription(self._heard_list)

    def _fill(self, activation: Activation) -> Any:
        """The message, filled anew; making one takes longer than all else."""
        rows = self._rows.get(activation.codes)
        if rows is None:
            rows = self._rows[activation.codes] = np.array(activation.codes)
            self._intensity[:] = 0.0
            self._confidence[:] = 0.0
        header = self._message.header
        header.stamp = to_time(activation.stamp)
        header.frame_id = activation.frame_id
        probability = activation.probability
        self._intensity[rows] = activation.intensity
        # How sure it is of what it says, be that "active" or "not active".
        self._confidence[rows] = np.maximum(probability, 1.0 - probability)
        return self._message

    def _tell_region(self, face: _Face, activation: Activation) -> None:
        face.region_told = activation.stamp
        if face.region is None or not face.region.get_subscription_count():
            return
        left, top, right, bottom = face.box
        header = to_header(activation.stamp, activation.frame_id)
        region = self._region_type(header=header, xmin=left, ymin=top, xmax=right, ymax=bottom)
        region.c = 1.0
        face.region.publish(region)

    def _give_name(self, face_id: int, face: _Face) -> None:
        if self._follow:
            taken = {other.name for other in self._faces.values()}
            free = {n: o.box for n, o in self._others.items() if o.box and n not in taken}
            name = nearest(face.box, free)
        else:
            name = f"f{face_id:05d}"
        if name is None:
            return
        face.name = name
        face.facs = self._node.create_publisher(self._facs_type, f"{FACES}/{name}/facs", DEPTH)
        if not self._follow:
            face.region = self._node.create_publisher(
                self._region_type, f"{FACES}/{name}/roi", DEPTH
            )
            self._publish_list()

    def _unname(self, face: _Face) -> None:
        for publisher in (face.facs, face.region):
            if publisher is not None:
                self._node.destroy_publisher(publisher)
        face.name = face.facs = face.region = None

    def _look_round(self) -> None:
        """Let go of faces that have gone; say who is there."""
        latest = time.monotonic() - GONE_S
        for face_id in [one for one, face in self._faces.items() if face.heard < latest]:
            self._unname(self._faces.pop(face_id))
        for face in self._faces.values():
            if self._follow and face.name is not None and not self._is_there(face):
                self._unname(face)
        self._publish_list()

    def _is_there(self, face: _Face) -> bool:
        """Whether the other detector's face of that name is still where ours is."""
        known = self._others.get(face.name or "")
        return known is not None and (known.box is None or overlap(face.box, known.box) > 0.0)

    def _publish_list(self) -> None:
        if self._list is not None:
            self._list.publish(self._ids())

    def _ids(self) -> Any:
        names = [face.name for face in self._faces.values() if face.name is not None]
        return self._ids_type(header=to_header(self._stamp, self._frame_id), ids=names)

    def _hear_ids(self, message: Any) -> None:
        """Listen to the regions of the faces that the other detector knows."""
        for name in set(self._others) - set(message.ids):
            self._forget_other(name)
        for name in set(message.ids) - set(self._others):
            subscription = self._node.create_subscription(
                self._region_type,
                f"{FACES}/{name}/roi",
                lambda region, name=name: self._hear_region(name, region),
                DEPTH,
            )
            self._others[name] = _Other(subscription)

    def _hear_region(self, name: str, region: Any) -> None:
        other = self._others.get(name)
        if other is not None:
            other.box = (region.xmin, region.ymin, region.xmax, region.ymax)

    def _forget_other(self, name: str) -> None:
        self._node.destroy_subscription(self._others.pop(name).subscription)


def box_of(step: FlowStep) -> Box:
    """Where the face of a flow step is: the box about its field, cut to the picture."""
    _, rows, columns = step.data.shape
    corners = np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]]) - 0.5
    corners[2] = 1.0
    size = np.maximum(np.array(step.frame_size, np.float64), 1.0)
    placed = (step.to_image @ corners + 0.5) / size[:, None]
    low, high = placed.min(axis=1).clip(0.0, 1.0), placed.max(axis=1).clip(0.0, 1.0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def overlap(one: Box, other: Box) -> float:
    """Intersection of two boxes over their union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    both = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both)


def nearest(box: Box, others: dict[str, Box]) -> str | None:
    """The name of the box that overlaps most with this one; None if none does by a quarter."""
    name = max(others, key=lambda name: overlap(box, others[name]), default=None)
    return name if name is not None and overlap(box, others[name]) > 0.25 else None
