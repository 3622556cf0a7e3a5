"""Faces as social robots know them: ``/humans/faces`` of REP-155.

Of each face its action units are published on ``/humans/faces/<id>/facs``. Ids and regions are
EmoPulse's own, or those of another face detector on the robot, whose faces are recognised by their
place in the picture.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.nodes.boxes import Box, box_of
from emopulse_ros.nodes.other_faces import OtherFaces
from emopulse_ros.nodes.stamps import every, to_header, to_time
from emopulse_ros.stream import Activation, FlowStep

FACES = "/humans/faces"
"""REP-155 leaves no choice: these topics are absolute."""

TRACKED = f"{FACES}/tracked"

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

LETTERS = "bcdfghjklmnpqrstvwxz"
"""What prefixes of ids are made of: without vowels no word comes of it by chance."""


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


def prefix_of(node: str) -> str:
    """Letters that ids of a node begin with: the same at every start, others for other nodes."""
    number = int.from_bytes(hashlib.sha256(node.encode()).digest()[:8], "big")
    return "".join(LETTERS[number // len(LETTERS) ** place % len(LETTERS)] for place in range(5))


class Humans:
    """Publishes the action units of every face for whoever listens to REP-155.

    With ``follow`` it publishes no list and no regions, but waits for those of another detector.
    ``hri_msgs`` must be installed. All calls come from the thread that spins the node.
    """

    def __init__(self, node: Any, *, follow: bool) -> None:
        from hri_msgs.msg import FacialActionUnits, IdsList, NormalizedRegionOfInterest2D

        self._node = node
        self._others = OtherFaces(node, FACES, DEPTH) if follow else None
        self._prefix = prefix_of(node.get_fully_qualified_name())
        self._facs_type, self._region_type = FacialActionUnits, NormalizedRegionOfInterest2D
        self._ids_type = IdsList
        self._message = FacialActionUnits()
        self._intensity: NDArray[np.float32] = self._message.intensity
        self._confidence: NDArray[np.float32] = self._message.confidence
        self._rows: dict[tuple[int, ...], NDArray[np.intp]] = {}
        self._faces: dict[int, _Face] = {}
        self._stamp, self._frame_id = 0, ""
        self._list = None if follow else node.create_publisher(IdsList, TRACKED, DEPTH)
        self._knows_of_another = False
        self._timer = every(node, PERIOD_S, self._look_round)

    @property
    def nameless(self) -> int:
        """Faces of ours that the other detector does not know."""
        # Asked from a thread of its own, while faces come and go.
        return sum(face.name is None for face in tuple(self._faces.values()))

    @property
    def ids(self) -> list[str]:
        """Ids of the faces that are told of."""
        return [face.name for face in self._faces.values() if face.name is not None]

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
        if self._others is not None:
            self._others.close()
        if self._list is not None:
            self._list.publish(self._ids())
            self._node.destroy_publisher(self._list)

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
        name: str | None = f"{self._prefix}{face_id:05d}"
        if self._others is not None:
            name = self._others.at(face.box, {other.name for other in self._faces.values()})
        if name is None:
            return
        face.name = name
        face.facs = self._node.create_publisher(self._facs_type, f"{FACES}/{name}/facs", DEPTH)
        if self._list is not None:
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
        others = self._others
        for face in self._faces.values():
            if others is not None and face.name and not others.is_at(face.name, face.box):
                self._unname(face)
        self._publish_list()
        self._mind_another()

    def _mind_another(self) -> None:
        """Say once if somebody else keeps a list: whoever listens takes either for the whole."""
        node = self._node
        if self._list is None or self._knows_of_another or node.count_publishers(TRACKED) < 2:
            return
        own = node.get_fully_qualified_name()
        told = node.get_publishers_info_by_topic(TRACKED)
        names = {f"{one.node_namespace.rstrip('/')}/{one.node_name}" for one in told} - {own}
        if names:
            self._knows_of_another = True
            node.get_logger().warning(
                f"{', '.join(sorted(names))} publishes {TRACKED} as well, and a face that is on "
                "one list only seems to come and go all the time: set the parameter humans of "
                f"{own} to off, or to follow if both see the same pictures"
            )

    def _publish_list(self) -> None:
        if self._list is not None:
            self._list.publish(self._ids())

    def _ids(self) -> Any:
        return self._ids_type(header=to_header(self._stamp, self._frame_id), ids=self.ids)
