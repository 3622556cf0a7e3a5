"""What is to be evaluated, as a camera, and the truth that goes with it."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.bag.file import STORAGES
from emopulse_ros.camera import BagCamera, Camera, CameraError, open_camera
from emopulse_ros.evaluation.assessment import KnowTruth
from emopulse_ros.evaluation.labels.read import read_labels
from emopulse_ros.evaluation.labels.recorded import read_recorded
from emopulse_ros.evaluation.script_truth import truth_of


def open_source(
    source: str,
    topic: str | None = None,
    *,
    rate: float | None = None,
    duration: float | None = None,
) -> Camera:
    """Open a bag, a video, a folder of images, or what ``open_camera`` understands.

    Frames of a bag keep their capture stamps, so that labels and other topics fit them.

    :raises ValueError: if an option does not go with the source.
    :raises CameraError: if it cannot be opened.
    """
    path = Path(source.removeprefix("bag:")).expanduser()
    if _is_bag(path) or source.startswith("bag:"):
        if rate is not None:
            raise ValueError("a bag's images have stamps of their own: leave out --rate")
        return BagCamera(path, topic, absolute=True, duration=duration)
    if topic is not None:
        raise ValueError(f"{source} is no bag, so it has no topics: leave out --topic")
    if path.is_dir():
        return open_camera(f"folder:{path}", rate=rate, duration=duration)
    if path.is_file():
        return open_camera(f"video:{path}", rate=rate, duration=duration)
    if ":" not in source and source != "synthetic":
        raise CameraError(f"there is nothing at {source}")
    return open_camera(source, rate=rate, duration=duration)


def truth_for(camera: Camera, given: str | None) -> KnowTruth | None:
    """Where the truth of a camera's frames is known from: a file or a topic if one is given, else
    the labels of its bag or its script; None if nobody knows.

    :raises LabelError: if what was given cannot be read.
    """
    bag = camera.bag if isinstance(camera, BagCamera) else None
    if given is not None:
        path = Path(given).expanduser()
        if bag is not None and given.startswith("/") and not path.exists():
            return read_recorded(bag, given)
        return read_labels(path)
    if bag is not None:
        return read_recorded(bag)
    script = camera.script
    if script is None:
        return None
    return lambda stamps: truth_of(script, 0, int(stamps[-1]) if len(stamps) else None)


def _is_bag(path: Path) -> bool:
    if path.is_dir():
        return any(set(file.suffixes) & set(STORAGES) for file in path.iterdir())
    return path.suffix in STORAGES
