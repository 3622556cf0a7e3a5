"""The node that takes pictures: a camera, paced by the clock, onto a topic."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sensor_msgs.msg import CameraInfo

from emopulse_ros.camera import Camera, Live, Paced, in_time, open_camera
from emopulse_ros.nodes import qualities
from emopulse_ros.nodes.alone import run_alone
from emopulse_ros.nodes.calibration import Calibration
from emopulse_ros.nodes.diagnostics import ERROR, OK, Health, Vitals
from emopulse_ros.nodes.images import image_adaptation
from emopulse_ros.nodes.messages import since
from emopulse_ros.nodes.parameters import Parameter, Table
from emopulse_ros.nodes.samples import Samples
from emopulse_ros.nodes.stage_node import AUTOSTART, StageNode
from emopulse_ros.stream import Frame
from emopulse_ros.transport import plain


class CameraNode(StageNode):
    """Publishes ``camera/image_raw`` and, while somebody subscribes, ``camera/camera_info``.

    The stream ends, and ``finished`` is set, when the camera has no more pictures or fails; in
    that case ``error`` says why.
    """

    own_name: ClassVar[str] = "camera_node"
    table: ClassVar[Table] = (
        Parameter(
            "camera",
            "synthetic",
            "what to open: synthetic, synthetic:SEED, synthetic:SEEDxFACES, video:PATH, "
            "folder:PATH, bag:PATH, v4l2:PATH (/dev/video0), genicam:ID; v4l2: and genicam: alone "
            "take the first camera that answers",
        ),
        Parameter(
            "rate",
            0.0,
            "frame rate, of a bag the speed; 0 for the camera's own, or 200 of a device",
            "Hz",
            (0.0, 10_000.0),
        ),
        Parameter(
            "duration", 0.0, "length of the stream; 0 for as long as it goes", "s", (0.0, 1e9)
        ),
        Parameter(
            "width",
            0,
            "of a device's picture, given with its height; 0 in both for its own choice",
            "pixels",
            (0, 8192),
        ),
        Parameter("height", 0, "likewise, its height", "pixels", (0, 8192)),
        Parameter(
            "exposure",
            0.0,
            "exposure time of a device; 0 leaves it as it is, but shortens a fixed one of a "
            "GenICam camera to 0.8 of a period",
            "us",
            (0.0, 1e6),
            live=True,
        ),
        Parameter(
            "camera_info_url",
            "",
            "calibration: path or file:// of what camera_calibration has written; empty for none",
        ),
        Parameter("loop", False, "begin a video again at its end"),
        Parameter(
            "frame_id", "camera_optical_frame", "optical frame of the camera (REP 103)", live=True
        ),
        Parameter(
            "patience",
            10,
            "lateness beyond which frames are skipped",
            "frames",
            (0, 1e6),
            live=True,
        ),
        AUTOSTART,
    )
    camera: Camera | None = None
    paced: Paced | Live | None = None
    published = 0
    """Frames published."""
    _thread: threading.Thread | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.finished = threading.Event()
        """Set when the stream has ended by itself, until the node is activated again."""
        self._over = threading.Event()

    def allocate(self) -> None:
        values = self.settings
        self._calibration = Calibration(values["camera_info_url"])
        size = values["width"], values["height"]
        self.camera = open_camera(
            values["camera"],
            rate=values["rate"] or None,
            duration=values["duration"] or None,
            loop=values["loop"],
            size=size if any(size) else None,
            exposure=values["exposure"] or None,
        )
        quality = qualities.images()
        self._images = self.publisher(image_adaptation(), "camera/image_raw", quality)
        self._info = self.publisher(plain(CameraInfo), "camera/camera_info", quality)
        self.lateness, self.capture_time = Samples(), Samples()
        """From capture until the frame was published; processor time of fetching and publishing
        it, for the thread that does so waits as well; ms."""
        self._vitals, self._newest = Vitals(time.time_ns, self.lateness, self.capture_time), 0

    def start(self) -> None:
        assert self.camera is not None
        if isinstance(self.camera, Live):
            self.camera.open()
        self.paced = in_time(self.camera, self.settings["patience"])
        if not self._calibration.fits(self.camera.size):
            self.get_logger().warning(
                "the calibration is for pictures of {}x{}, not {}x{}: camera_info goes without "
                "it".format(*self._calibration.size or (0, 0), *self.camera.size)
            )
        self._over.clear()
        self.finished.clear()
        self._thread = threading.Thread(target=self._capture, name="capture", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self.paced is not None:
            self.paced.rest()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def free(self) -> None:
        if self.camera is not None:
            self.camera.close()
            self.camera = None

    def adapt(self) -> None:
        if isinstance(self.paced, Paced):
            self.paced.patience = self.settings["patience"]
        if isinstance(self.camera, Live):
            self.camera.expose(self.settings["exposure"] or None)

    @property
    def skipped(self) -> int:
        """Frames for which the capture thread came too late."""
        return 0 if self.paced is None else self.paced.skipped

    def health(self) -> Health:
        assert self.camera is not None
        assert self.paced is not None
        for remark in self.paced.remarks():
            self.get_logger().warning(remark)
        values = {
            **self._vitals(self.published, self._newest),
            "camera": self.camera.name,
            "nominal rate (Hz)": f"{self.camera.rate:g}",
            "frames": str(self.published),
            "skipped frames": str(self.skipped),
            "belated frames": str(self.paced.belated),
            "images not sent outside": str(self._images.lost),
        }
        if self.error is not None:
            return Health(ERROR, str(self.error), values)
        if self.finished.is_set():
            return Health(OK, "the camera has no more pictures", values)
        if self.paced.status:
            return Health(ERROR, self.paced.status, values)
        return Health(OK, f"{self._vitals.rate:.0f} frames a second", values)

    def _capture(self) -> None:
        assert self.paced is not None
        used = time.thread_time()
        try:
            for frame in self.paced:
                if self._over.is_set():
                    break
                frame_id = self.settings["frame_id"]
                self._publish(frame if frame.frame_id == frame_id else _renamed(frame, frame_id))
                before, used = used, time.thread_time()
                self.capture_time.add(1e3 * (used - before))
        except Exception as error:
            self.error = error
            self.get_logger().error(f"the camera failed: {error}")
        if not self._over.is_set():
            self.finished.set()

    def _publish(self, frame: Frame) -> None:
        self._images.publish(frame)
        self.published += 1
        self._newest = frame.stamp
        # Hands the interpreter to the stage that has just been woken, at once and not only when
        # the next picture has been fetched.
        time.sleep(0.0)
        self.lateness.add(since(frame.stamp))
        if self._info.wanted:
            self._info.publish(self._calibration(frame))


def _renamed(frame: Frame, frame_id: str) -> Frame:
    return replace(frame, frame_id=frame_id)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node in a process of its own until it is interrupted; return the exit status."""
    return run_alone(CameraNode, argv)


if __name__ == "__main__":
    sys.exit(main())
