"""The node that holds the face still and measures how its skin moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from emopulse_ros.face.stage import FaceStage
from emopulse_ros.flow.methods import methods
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.flow.too_slow import TooSlow
from emopulse_ros.nodes import qualities
from emopulse_ros.nodes.alone import run_alone
from emopulse_ros.nodes.budget import Budget
from emopulse_ros.nodes.diagnostics import ERROR, OK, WARN, Health, Vitals
from emopulse_ros.nodes.each_face import EachFace
from emopulse_ros.nodes.images import image_adaptation
from emopulse_ros.nodes.messages import FLOW, since
from emopulse_ros.nodes.parameters import Parameter, Table
from emopulse_ros.nodes.samples import Samples
from emopulse_ros.nodes.stage_node import AUTOSTART, StageNode
from emopulse_ros.nodes.stamps import clock_of
from emopulse_ros.pipeline import face_stage, open_engine
from emopulse_ros.stream import FlowStep, Frame
from emopulse_ros.transport import Subscription

MODEL = Parameter(
    "model",
    "",
    "path of an EmoPulse model (ONNX); empty for the one built in, int8 for that in 8 bits",
)
QUEUE = Parameter(
    "queue_depth",
    10,
    "frames that may wait; then the oldest gives way. 10 bridge a hold-up of 50 ms at 200 Hz",
    "frames",
    (1, 1000),
)
FACES = Parameter(
    "faces",
    3,
    "faces that are followed at once, the largest first; fewer where the time of a frame ends",
    "faces",
    (1, 16),
)


SOON = 10
"""Stamps that do not rise twice within so many frames are the driver's fault."""


class FlowNode(StageNode):
    """Makes ``flow`` out of ``camera/image_raw``, of our camera node or any other driver."""

    own_name: ClassVar[str] = "flow_node"
    table: ClassVar[Table] = (MODEL, FACES, QUEUE, AUTOSTART)
    face: FaceStage | None = None
    frames = 0
    """Frames seen."""
    faceless = 0
    """Frames without a face that could be followed."""
    gaps = 0
    """Frames that never came here: the camera or a queue dropped them, or the network."""
    not_later = 0
    """Frames whose stamp is not later than that of the one before: each face is found anew."""
    on_frame: Callable[[Frame], None] | None = None
    """Called with each frame before it is worked on; must be quick."""
    on_step: Callable[[FlowStep], None] | None = None
    """Called after each flow step is published; must be quick."""
    _has_told_of_stamps = False

    def allocate(self) -> None:
        recipe = open_engine(path_of(self.settings["model"])).card.recipe
        most = self.settings["faces"]
        self.face = face_stage(recipe, live=True, most=most)
        self.get_logger().info(f"flow: {methods().why}")
        self._flows = EachFace(partial(FlowStage, recipe))
        self._budget = Budget(most)
        self._publisher = self.publisher(FLOW, "flow", qualities.flow(10 * most))
        self.hop, self.face_time, self.flow_time = Samples(), Samples(), Samples()
        """From the camera's publishing until here, in the face stage, in flow and publishing."""
        self.latency = Samples()
        """From capture until the flow of all faces was published, ms."""
        self._now, self._newest = clock_of(self), 0
        self._vitals = Vitals(self._now, self.latency, self.face_time, self.flow_time)

    def start(self) -> None:
        self._last: int | None = None
        self._too_slow = TooSlow()
        self._not_later_at: int | None = None
        self.subscription: Subscription[Frame] = self.subscribe(
            image_adaptation(),
            "camera/image_raw",
            self._process,
            qualities.images(self.settings["queue_depth"]),
        )

    def free(self) -> None:
        if self.face is not None:
            self.face.beside.close()
            self.face = None

    @property
    def status(self) -> str:
        """How it stands with the face, in words."""
        return "not configured" if self.face is None else self.face.status

    @property
    def late(self) -> int:
        """Looks for the face whose answer came too late to be used."""
        return 0 if self.face is None else self.face.beside.late

    @property
    def waiting(self) -> int:
        return self.subscription.waiting if self._is_running else 0

    def health(self) -> Health:
        values = {
            **self._vitals(self.frames, self._newest),
            "face": self.status,
            "flow": methods().why,
            "faces at most": str(self.face.most if self.face else 0),
            "frames": str(self.frames),
            "frames without a face": str(self.faceless),
            "dropped frames": str(self.gaps),
            "overwritten in the queue": str(self.subscription.overwritten),
            "late looks for the face": str(self.late),
            "images of no use": str(self.subscription.refused),
            "images stamped no later than the one before": str(self.not_later),
            "frames that failed": str(self.errors),
            "fields not sent outside": str(self._publisher.lost),
        }
        if self._vitals.rate == 0.0:
            return Health(ERROR, f"no images on {self.subscription.topic_name}", values)
        if self._too_slow.status:
            return Health(WARN, self._too_slow.status, values)
        if self.face is None or not self.face.following:
            return Health(WARN, self.status, values)
        level = OK if self.face.most == self.settings["faces"] else WARN
        return Health(level, f"{self.status} at {self._vitals.rate:.0f} frames a second", values)

    def _process(self, frame: Frame) -> None:
        assert self.face is not None
        self.hop.add(self.subscription.waited_ms)
        self.frames += 1
        if self._last is not None:
            if frame.sequence > self._last + 1:
                self.gaps += frame.sequence - self._last - 1
            if frame.stamp <= self._newest:
                self._mind_stamps(frame.stamp)
        self._last, self._newest = frame.sequence, frame.stamp
        if self._too_slow(frame.stamp, self.subscription.overwritten):
            self.get_logger().warning(self._too_slow.status)
        if self.on_frame is not None:
            self.on_frame(frame)
        begun = time.perf_counter()
        crops = self.face(frame)
        found = time.perf_counter()
        self.face_time.add(1e3 * (found - begun))
        if not crops:
            self.faceless += 1
            self.face.begin_look()
            return
        for crop in crops:
            step = self._flows(crop.face_id, crop.stamp)(crop)
            self._publisher.publish(step)
            if self.on_step is not None:
                self.on_step(step)
        self.latency.add(since(frame.stamp, self._now))
        self._flows.retire(frame.stamp)
        done = time.perf_counter()
        self.face.begin_look()
        self.flow_time.add(1e3 * (done - found))
        self._keep_within_budget(frame.stamp, done - begun, len(crops))

    def _mind_stamps(self, stamp: int) -> None:
        """Count a stamp that does not rise, and say so once if it is no bag that begins again."""
        self.not_later += 1
        before, self._not_later_at = self._not_later_at, self.frames
        if before is None or self.frames - before > SOON or self._has_told_of_stamps:
            return
        self._has_told_of_stamps = True
        self.get_logger().warning(
            f"images on {self.subscription.topic_name} are stamped no later than those before them "
            f"({stamp / 1e9:.3f} s after {self._newest / 1e9:.3f} s), so the face is found anew "
            "each time and few action units come, or none: the driver must stamp each image with "
            "the time it was taken, and only one may publish there"
        )

    def _keep_within_budget(self, stamp: int, spent: float, count: int) -> None:
        """Follow fewer faces where a frame has no time for more, and more again where it has."""
        assert self.face is not None
        most = self._budget(stamp, spent, count, self.gaps)
        if most < self.face.most:
            self.get_logger().warning(
                f"there is no time for {count} faces in a frame: the largest {most} are followed"
            )
        self.face.most = most


def path_of(model: str) -> Path | None:
    """The model a parameter names; None for the one built in."""
    return Path(model).expanduser() if model else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node in a process of its own until it is interrupted; return the exit status."""
    return run_alone(FlowNode, argv)


if __name__ == "__main__":
    sys.exit(main())
