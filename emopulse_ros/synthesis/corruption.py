"""All that goes wrong between a face and a picture of it, by name and level.

Most of it happens to the light, before the sensor's noise; the same seed gives the same bytes.
Levels are (mild, medium, strong).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import Frame, read_only
from emopulse_ros.synthesis.scene import Scene, times_of
from emopulse_ros.synthesis.script import SECOND

Light = NDArray[np.float32]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The light ``(H, W) float32``, in gray levels, that falls on the sensor at ``stamp`` (ns)."""

    stamp: int
    sequence: int
    light: Light


ChangeOfLight = Callable[[Iterable[Moment], float, np.random.Generator, Scene], Iterator[Moment]]
ChangeOfPicture = Callable[[Picture, float], Picture]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One thing that goes wrong; ``unit`` and ``meaning`` say what a level is.

    It happens to the light before the sensor adds its noise and rounds, or to the picture after.
    """

    name: str
    levels: tuple[float, float, float]
    unit: str
    meaning: str
    to_light: ChangeOfLight | None = None
    to_picture: ChangeOfPicture | None = None


def filmed_through(
    scene: Scene,
    duration: int,
    seed: int,
    troubles: Mapping[str, float],
    rate: int = 200,
) -> Iterator[Frame]:
    """The frames a camera takes of a scene in ``duration`` ns, with the ``troubles`` it has: the
    names of corruptions, and the level of each. Frames may be missing.

    They happen in the order of :data:`CORRUPTIONS`, whatever theirs is: glasses are part of the
    scene, and a face far off has as much of the sensor's noise as a near one.

    :raises KeyError: for a corruption nobody knows.
    """
    unknown = troubles.keys() - CORRUPTIONS.keys()
    if unknown:
        raise KeyError(f"nobody knows the corruption {', '.join(sorted(unknown))}")
    moments: Iterator[Moment] = (
        Moment(frame_time, number, scene.light(frame_time))
        for number, frame_time in enumerate(times_of(duration, rate))
    )
    after: list[tuple[ChangeOfPicture, float]] = []
    for name, one in CORRUPTIONS.items():
        if name not in troubles:
            continue
        if one.to_light is not None:
            random = np.random.default_rng([seed, crc32(name.encode())])
            moments = one.to_light(moments, troubles[name], random, scene)
        if one.to_picture is not None:
            after.append((one.to_picture, troubles[name]))
    for moment in moments:
        picture = scene.expose(moment.light, moment.stamp)
        for change, level in after:
            picture = change(picture, level)
        yield Frame(moment.stamp, moment.sequence, read_only(picture))


def _glasses(
    moments: Iterable[Moment], level: float, random: np.random.Generator, scene: Scene
) -> Iterator[Moment]:
    shade, sub = np.float32(random.uniform(10.0, 90.0)), 6
    for moment in moments:
        left, right = scene.eyes(moment.stamp).astype(np.float64)
        across = left - right
        apart = float(np.hypot(*across))
        tilt = float(np.degrees(np.arctan2(across[1], across[0])))
        thick = max(1, round(level * apart))
        rims = np.zeros(moment.light.shape, np.uint8)
        for eye in (left, right):
            # Fixed-point places, so that the frame moves with the head by less than a pixel.
            middle = tuple(int(value) for value in np.rint(eye * (1 << sub)))
            axes = (int(0.40 * apart * (1 << sub)), int(0.30 * apart * (1 << sub)))
            cv2.ellipse(rims, middle, axes, tilt, 0.0, 360.0, 255, thick, cv2.LINE_AA, sub)
        inner = [np.rint((eye + sign * 0.4 * across) * (1 << sub)).astype(int)
                 for eye, sign in ((left, -1.0), (right, 1.0))]  # fmt: skip
        cv2.line(rims, inner[0].tolist(), inner[1].tolist(), 255, thick, cv2.LINE_AA, sub)
        share = rims * np.float32(1.0 / 255.0)
        yield replace(moment, light=moment.light + share * (shade - moment.light))


def _off_centre(
    moments: Iterable[Moment], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Moment]:
    angle = random.uniform(0.0, 2.0 * np.pi)
    for moment in moments:
        height, width = moment.light.shape
        shift = np.array(
            [[1, 0, level * width * np.cos(angle)], [0, 1, level * height * np.sin(angle)]]
        )
        moved = cv2.warpAffine(
            moment.light,
            shift,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        yield replace(moment, light=np.asarray(moved, np.float32))


def _small(
    moments: Iterable[Moment], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Moment]:
    for moment in moments:
        small = cv2.resize(moment.light, None, fx=level, fy=level, interpolation=cv2.INTER_AREA)
        yield replace(moment, light=np.asarray(small, np.float32))


def _low_contrast(
    moments: Iterable[Moment], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Moment]:
    gray = np.float32(random.uniform(60.0, 190.0))
    for moment in moments:
        light = (moment.light - np.float32(128.0)) * np.float32(level) + gray
        yield replace(moment, light=light)


def _flicker(
    moments: Iterable[Moment], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Moment]:
    lamp, phase = _lamp(random), random.uniform(0.0, 2.0 * np.pi)
    for moment in moments:
        wave = np.sin(2.0 * np.pi * lamp * moment.stamp / SECOND + phase)
        yield replace(moment, light=moment.light * np.float32(1.0 + level * wave))


def _rolling_light(
    moments: Iterable[Moment], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Moment]:
    lamp, phase = _lamp(random), random.uniform(0.0, 2.0 * np.pi)
    for moment in moments:
        # The rows of a rolling shutter are read one after another, over most of the frame's time.
        row_time = np.linspace(0.0, 0.0045, len(moment.light), dtype=np.float32)
        wave = np.sin(2.0 * np.pi * lamp * (moment.stamp / SECOND + row_time) + phase)
        bands = (1.0 + level * wave)[:, None].astype(np.float32)
        yield replace(moment, light=moment.light * bands)


def _motion_blur(
    moments: Iterable[Moment], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Moment]:
    mean: Light | None = None
    for moment in moments:
        now = moment.light
        mean = now if mean is None else mean + (now - mean) / np.float32(level)
        yield replace(moment, light=mean)


def _noise(
    moments: Iterable[Moment], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Moment]:
    for moment in moments:
        grain = random.standard_normal(moment.light.shape, np.float32)
        yield replace(moment, light=moment.light + np.float32(level) * grain)


def _dropped(
    moments: Iterable[Moment], level: float, random: np.random.Generator, _: Scene
) -> Iterator[Moment]:
    return (moment for moment in moments if random.random() >= level)


def _slow(
    moments: Iterable[Moment], level: float, _: np.random.Generator, __: Scene
) -> Iterator[Moment]:
    kept = (moment for moment in moments if moment.sequence % int(level) == 0)
    return (replace(moment, sequence=number) for number, moment in enumerate(kept))


def _jpeg(picture: Picture, level: float) -> Picture:
    code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(level)])[1]
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)


def _lamp(random: np.random.Generator) -> float:
    """Hz: lamps flicker at twice the mains' frequency, which is never quite what it is called."""
    return float(random.choice((100.0, 120.0)) + random.normal(0.0, 0.3))


_ALL = (
    Corruption("glasses", (0.03, 0.05, 0.08), "eye distances", "thickness of the frame", _glasses),
    Corruption(
        "off_centre", (0.08, 0.15, 0.22), "share", "of the picture it is shifted", _off_centre
    ),
    Corruption("small_face", (0.7, 0.5, 0.35), "factor", "of the picture's size", _small),
    Corruption("low_contrast", (0.6, 0.4, 0.25), "factor", "of the contrast", _low_contrast),
    Corruption(
        "exposure_flicker",
        (0.03, 0.08, 0.15),
        "share",
        "swing of the light, 50/60 Hz lamps",
        _flicker,
    ),
    Corruption(
        "rolling_light",
        (0.03, 0.06, 0.12),
        "share",
        "swing of bands, rolling shutter",
        _rolling_light,
    ),
    Corruption(
        "motion_blur",
        (1.5, 2.5, 4.0),
        "frames",
        "reach of a running mean over frames",
        _motion_blur,
    ),
    Corruption("sensor_noise", (2.0, 4.0, 8.0), "gray levels", "deviation of added noise", _noise),
    Corruption("slow_camera", (2.0, 3.0, 4.0), "frames", "of which one is taken", _slow),
    Corruption("dropped_frames", (0.01, 0.05, 0.2), "share", "of frames lost by chance", _dropped),
    Corruption(
        "jpeg", (80.0, 50.0, 25.0), "quality", "of each picture's compression", to_picture=_jpeg
    ),
)

CORRUPTIONS: Mapping[str, Corruption] = {corruption.name: corruption for corruption in _ALL}
"""All of them, by name, in the order in which they happen, which is that of every table."""
