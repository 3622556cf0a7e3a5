"""Sources of frames, opened by a spec such as ``synthetic:7`` or ``video:smile.mp4``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from emopulse_ros.camera.bag import BagCamera
from emopulse_ros.camera.folder import FolderCamera
from emopulse_ros.camera.genicam import GenicamDevice
from emopulse_ros.camera.live import Device, Live, Wish
from emopulse_ros.camera.memory import MemoryCamera
from emopulse_ros.camera.pace import Paced, in_time
from emopulse_ros.camera.source import Camera, CameraError
from emopulse_ros.camera.synthetic import SyntheticCamera
from emopulse_ros.camera.v4l2 import Opener
from emopulse_ros.camera.video import VideoCamera

__all__ = [
    "BagCamera",
    "Camera",
    "CameraError",
    "FolderCamera",
    "Live",
    "MemoryCamera",
    "Paced",
    "SyntheticCamera",
    "VideoCamera",
    "Wish",
    "in_time",
    "open_camera",
]

DEVICES: dict[str, Callable[[str, Wish], Device]] = {
    "v4l2": Opener(),
    "genicam": GenicamDevice,
}
"""What opens a device, by the first part of its spec; it is given the second."""

SPECS = (
    "synthetic, synthetic:SEED, synthetic:SEEDxFACES, video:PATH, folder:PATH, bag:PATH, "
    "bag:PATH@TOPIC, v4l2:PATH, genicam:ID, memory:SPEC"
)
"""What :func:`open_camera` understands."""


def open_camera(
    spec: str,
    *,
    rate: float | None = None,
    duration: float | None = None,
    loop: bool = False,
    size: tuple[int, int] | None = None,
    exposure: float | None = None,
) -> Camera:
    """Open the camera a spec names: ``synthetic``, ``synthetic:SEED``, ``synthetic:SEEDxFACES`` for
    several faces side by side, ``video:PATH``, ``bag:PATH`` or ``bag:PATH@TOPIC`` where a bag has
    several topics of images.

    ``folder:PATH`` plays the numbered images of a folder. ``memory:`` before another spec plays its
    first seconds to and fro out of memory.

    ``v4l2:/dev/video0`` is a camera of Video for Linux 2, ``v4l2:`` the first one that answers.
    ``genicam:ID`` is a GigE Vision or USB3 Vision camera by the name Aravis gives it or by its
    address, ``genicam:`` the first one that is found.

    ``rate`` in frames per second: of the synthetic camera and of a folder (default 200), or
    forced on a video in place of its own clock; of a bag it is the speed at which it is played, 1
    being that of its own stamps, as with ``ros2 bag play``. ``duration`` in seconds ends the
    stream; without it the synthetic camera never ends. ``loop`` starts a video or a folder again
    at its end. ``size`` (width and height in pixels) and ``exposure`` in µs are asked of a device;
    a device is a :class:`Live`, and is opened by its ``open`` or a ``with`` block.

    :raises ValueError: if the spec, the rate, the duration or the size makes no sense.
    :raises CameraError: if the source cannot be opened.
    """
    kind, _, argument = spec.partition(":")
    if kind == "synthetic":
        asked = re.fullmatch(r"(\d*)(?:x(\d+))?", argument, re.ASCII)
        if asked is None:
            raise ValueError(
                f"'{spec}' names no seed: try synthetic:7, or synthetic:7x3 for three faces."
            )
        seed, faces = int(asked[1] or 0), int(asked[2] or 1)
        return SyntheticCamera(seed, duration, rate=200.0 if rate is None else rate, faces=faces)
    if kind == "video":
        if not argument:
            raise ValueError("A video needs a path: video:PATH.")
        return VideoCamera(argument, rate=rate, loop=loop, duration=duration)
    if kind == "bag":
        path, _, topic = argument.partition("@")
        if not path:
            raise ValueError("A bag needs a path: bag:PATH.")
        return BagCamera(
            path, topic or None, duration=duration, speed=1.0 if rate is None else rate
        )
    if kind == "folder":
        if not argument:
            raise ValueError("A folder of images needs a path: folder:PATH.")
        return FolderCamera(
            argument, rate=200.0 if rate is None else rate, loop=loop, duration=duration
        )
    if kind == "memory":
        return MemoryCamera(open_camera(argument, rate=rate), duration)
    if kind in DEVICES:
        wish = Wish(200.0 if rate is None else rate, size, exposure)
        return Live(spec, partial(DEVICES[kind], argument), wish, duration)
    raise ValueError(f"There is no camera '{spec}'; there are {SPECS}.")
