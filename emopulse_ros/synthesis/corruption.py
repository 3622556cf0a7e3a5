"""All that goes wrong between a face and a picture of it, by name and level.

Each corruption takes the frames of a clip as they come and hands them on, changed; the same seed
gives the same bytes. Levels are (mild, medium, strong).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import Frame, read_only
from emopulse_ros.synthesis.scene import Scene
from emopulse_ros.synthesis.script import SECOND

Picture = NDArray[np.uint8]
Change = Callable[[Iterable[Frame], float, np.random.Generator, Scene], Iterator[Frame]]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One thing that goes wrong; ``unit`` and ``meaning`` say what a level is."""

    name: str
    levels: tuple[float, float, float]
    unit: str
    meaning: str
    change: Change

    def apply(
        self, frames: Iterable[Frame], level: float, seed: int, scene: Scene
    ) -> Iterator[Frame]:
        """Hand on the frames of ``scene``, corrupted; frames may be missing."""
        return self.change(frames, level, np.random.default_rng([seed, 0xC0884]), scene)


def _noise(
    frames: Iterable[Frame], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Frame]:
    for frame in frames:
        grain = random.standard_normal(frame.image.shape, np.float32)
        yield _with(frame, frame.image + level * grain)


def _motion_blur(
    frames: Iterable[Frame], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Frame]:
    mean: NDArray[np.float32] | None = None
    for frame in frames:
        now = frame.image.astype(np.float32)
        mean = now if mean is None else mean + (now - mean) / np.float32(level)
        yield _with(frame, mean)


def _flicker(
    frames: Iterable[Frame], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Frame]:
    lamp, phase = _lamp(random), random.uniform(0.0, 2.0 * np.pi)
    for frame in frames:
        wave = np.sin(2.0 * np.pi * lamp * frame.stamp / SECOND + phase)
        yield _with(frame, frame.image * np.float32(1.0 + level * wave))


def _jpeg(
    frames: Iterable[Frame], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Frame]:
    for frame in frames:
        code = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, int(level)])[1]
        yield _with(frame, np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)))


def _rolling_light(
    frames: Iterable[Frame], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Frame]:
    lamp, phase = _lamp(random), random.uniform(0.0, 2.0 * np.pi)
    for frame in frames:
        # The rows of a rolling shutter are read one after another, over most of the frame's time.
        row_time = np.linspace(0.0, 0.0045, len(frame.image), dtype=np.float32)
        wave = np.sin(2.0 * np.pi * lamp * (frame.stamp / SECOND + row_time) + phase)
        yield _with(frame, frame.image * (1.0 + level * wave)[:, None].astype(np.float32))


def _low_contrast(
    frames: Iterable[Frame], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Frame]:
    gray = random.uniform(60.0, 190.0)
    for frame in frames:
        yield _with(frame, (frame.image - np.float32(128.0)) * np.float32(level) + gray)


def _dropped(
    frames: Iterable[Frame], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Frame]:
    return (frame for frame in frames if random.random() >= level)


def _slow(
    frames: Iterable[Frame], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Frame]:
    kept = (frame for frame in frames if frame.sequence % int(level) == 0)
    return (replace(frame, sequence=number) for number, frame in enumerate(kept))


def _small(
    frames: Iterable[Frame], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Frame]:
    for frame in frames:
        small = cv2.resize(frame.image, None, fx=level, fy=level, interpolation=cv2.INTER_AREA)
        yield _with(frame, np.asarray(small))


def _off_centre(
    frames: Iterable[Frame], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Frame]:
    angle = random.uniform(0.0, 2.0 * np.pi)
    for frame in frames:
        height, width = frame.image.shape
        shift = np.array(
            [[1, 0, level * width * np.cos(angle)], [0, 1, level * height * np.sin(angle)]]
        )
        moved = cv2.warpAffine(
            frame.image,
            shift,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        yield _with(frame, np.asarray(moved))


def _glasses(
    frames: Iterable[Frame], level: float, random: np.random.Generator, scene: Scene
) -> Iterator[Frame]:
    shade, sub = int(random.uniform(10.0, 90.0)), 6
    for frame in frames:
        left, right = scene.eyes(frame.stamp).astype(np.float64)
        across = left - right
        apart = float(np.hypot(*across))
        tilt = float(np.degrees(np.arctan2(across[1], across[0])))
        thick = max(1, round(level * apart))
        picture = frame.image.copy()
        for eye in (left, right):
            # Fixed-point places, so that the frame moves with the head by less than a pixel.
            middle = tuple(int(value) for value in np.rint(eye * (1 << sub)))
            axes = (int(0.40 * apart * (1 << sub)), int(0.30 * apart * (1 << sub)))
            cv2.ellipse(picture, middle, axes, tilt, 0.0, 360.0, shade, thick, cv2.LINE_AA, sub)
        inner = [np.rint((eye + sign * 0.4 * across) * (1 << sub)).astype(int)
                 for eye, sign in ((left, -1.0), (right, 1.0))]  # fmt: skip
        cv2.line(picture, inner[0].tolist(), inner[1].tolist(), shade, thick, cv2.LINE_AA, sub)
        yield _with(frame, picture)


def _lamp(random: np.random.Generator) -> float:
    """Hz: lamps flicker at twice the mains' frequency, which is never quite what it is called."""
    return float(random.choice((100.0, 120.0)) + random.normal(0.0, 0.3))


def _with(frame: Frame, picture: NDArray[np.generic]) -> Frame:
    """The frame with another picture, rounded and clipped to bytes."""
    if picture.dtype != np.uint8:
        picture = np.rint(picture).clip(0.0, 255.0).astype(np.uint8)
    return replace(frame, image=read_only(np.asarray(picture, np.uint8)))


_ALL = (
    Corruption("sensor_noise", (2.0, 4.0, 8.0), "gray levels", "deviation of added noise", _noise),
    Corruption(
        "motion_blur",
        (1.5, 2.5, 4.0),
        "frames",
        "reach of a running mean over frames",
        _motion_blur,
    ),
    Corruption(
        "exposure_flicker",
        (0.03, 0.08, 0.15),
        "share",
        "swing of the light, 50/60 Hz lamps",
        _flicker,
    ),
    Corruption("jpeg", (80.0, 50.0, 25.0), "quality", "of each picture's compression", _jpeg),
    Corruption(
        "rolling_light",
        (0.03, 0.06, 0.12),
        "share",
        "swing of bands, rolling shutter",
        _rolling_light,
    ),
    Corruption("low_contrast", (0.6, 0.4, 0.25), "factor", "of the contrast", _low_contrast),
    Corruption("dropped_frames", (0.01, 0.05, 0.2), "share", "of frames lost by chance", _dropped),
    Corruption("slow_camera", (2.0, 3.0, 4.0), "frames", "of which one is taken", _slow),
    Corruption("small_face", (0.7, 0.5, 0.35), "factor", "of the picture's size", _small),
    Corruption(
        "off_centre", (0.08, 0.15, 0.22), "share", "of the picture it is shifted", _off_centre
    ),
    Corruption("glasses", (0.03, 0.05, 0.08), "eye distances", "thickness of the frame", _glasses),
)

CORRUPTIONS: Mapping[str, Corruption] = {corruption.name: corruption for corruption in _ALL}
"""All of them, by name, in the order of every table."""
