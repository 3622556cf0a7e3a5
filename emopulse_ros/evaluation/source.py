"""What is to be evaluated, as a camera, and the truth that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.bag.file import STORAGES
from emopulse_ros.bag.messages import ACTIVATION, EVENT, LABEL
from emopulse_ros.camera import BagCamera, Camera, CameraError, open_camera
from emopulse_ros.evaluation.assessment import KnowTruth
from emopulse_ros.evaluation.labels.read import read_labels
from emopulse_ros.evaluation.labels.recorded import RecordedLabels
from emopulse_ros.evaluation.labels.timed import LabelError
from emopulse_ros.evaluation.recorded import RecordedRun
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.timing import RecordedTiming
from emopulse_ros.synthesis.script import Script


@dataclass(frozen=True, slots=True)
class Source:
    """A camera; what is true of its frames, as far as is known once they are read; how the
    messages in its bag came; and what was said in it, if that was asked for."""

    camera: Camera
    know_truth: KnowTruth | None
    timing: RecordedTiming
    run: RecordedRun | None = None


def open_source(
    source: str,
    topic: str | None = None,
    truth: str | None = None,
    *,
    rate: float | None = None,
    duration: float | None = None,
    recorded: bool = False,
) -> Source:
    """Open a bag, a video, a folder of images, or what ``open_camera`` understands.

    Frames of a bag keep their capture stamps, so that labels and other topics fit them. ``truth``
    is a file, or a topic of the bag; without it the labels in the bag or the camera's script count.
    ``recorded`` asks for what was said while a bag was recorded.

    :raises ValueError: if an option does not go with the source.
    :raises CameraError: if it cannot be opened.
    :raises LabelError: if the truth cannot be read.
    """
    path = Path(source.removeprefix("bag:")).expanduser()
    is_bag = _is_bag(path) or source.startswith("bag:")
    names_topic = truth is not None and truth.startswith("/") and not Path(truth).exists()
    known: KnowTruth | None = None
    if truth is not None and not (is_bag and names_topic):
        known = read_labels(Path(truth).expanduser())
    timing = RecordedTiming()
    if is_bag:
        if rate is not None:
            raise ValueError("a bag's images have stamps of their own: leave out --rate")
        labels = RecordedLabels(path, truth if names_topic else None)
        also = {ACTIVATION: timing.hear, LABEL: labels.hear}
        run = RecordedRun(path, timing.hear) if recorded else None
        if run is not None:
            also |= {ACTIVATION: run.hear_activation, EVENT: run.hear_event}
        bag = BagCamera(path, topic, absolute=True, duration=duration, also=also)
        there = [one.name for one in bag.bag.of_type(LABEL)]
        if names_topic and truth not in there:
            bag.close()
            raise LabelError(
                f"{path} has labels on {', '.join(there) or 'no topic'}, not on {truth}"
            )
        return Source(bag, known or labels, timing, run)
    if recorded:
        raise ValueError("only a bag holds what was said before: leave out --recorded")
    if topic is not None:
        raise ValueError(f"{source} is no bag, so it has no topics: leave out --topic")
    if path.is_dir():
        source = f"folder:{path}"
    elif path.is_file():
        source = f"video:{path}"
    elif ":" not in source and source != "synthetic":
        raise CameraError(f"there is nothing at {source}")
    camera = open_camera(source, rate=rate, duration=duration)
    return Source(camera, known or _as_written(camera.script), timing)


def _as_written(script: Script | None) -> KnowTruth | None:
    if script is None:
        return None
    return lambda stamps: truth_of(script, 0, int(stamps[-1]) if len(stamps) else None)


def _is_bag(path: Path) -> bool:
    if path.is_dir():
        return any(set(file.suffixes) & set(STORAGES) for file in path.iterdir())
    return path.suffix in STORAGES
