"""Draws a scene: the picture, darkened where the bars are, with what is seen in it.

Amber is what moves, blue the probability it was given, as in every picture of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import Activation
from emopulse_ros.view.annotation import Annotation, Points, annotate, level_of, name_of
from emopulse_ros.view.pairing import Scene

Picture = NDArray[np.uint8]
"""``(H, W, 3) uint8``: blue, green, red, as OpenCV has it."""

Colour = tuple[int, int, int]

AMBER = (60, 190, 255)
BLUE = (255, 176, 92)
FAINT_BLUE = (168, 124, 78)
WHITE = (255, 255, 255)
FAINT = (178, 178, 178)
TRACK = (92, 92, 92)

SHADE = 0.36
"""How bright the picture is behind the bars."""

SMALLEST = 0.3
"""Scale of letters below which nobody reads them."""

FONT = cv2.FONT_HERSHEY_SIMPLEX
SHIFT = 4
"""Coordinates are given to OpenCV in sixteenths of a pixel."""


def paint(scene: Scene, levels: Mapping[int, float]) -> Picture:
    """The scene's picture in colour, of the same size, with everything drawn on it.

    Sizes follow the picture's height; a picture too small to read letters in has bars alone.
    """
    picture: Picture = cv2.cvtColor(scene.frame.image, cv2.COLOR_GRAY2BGR)
    drawn = annotate(scene, levels)
    size = picture.shape[0] / 480.0
    _outline(picture, drawn.outline, size)
    _arrows(picture, drawn.arrows, size)
    if scene.activation is not None:
        _bars(picture, scene.activation, drawn, levels, size)
    return picture


def _outline(picture: Picture, outline: Points, size: float) -> None:
    """Corners alone: they say as much as a frame, and hide less."""
    if len(outline):
        ways = np.stack([np.roll(outline, -1, axis=0), np.roll(outline, 1, axis=0)]) - outline
        starts = np.broadcast_to(outline, ways.shape)
        _lines(picture, np.stack([starts, starts + 0.12 * ways], axis=2), WHITE, size)


def _arrows(picture: Picture, arrows: Points, size: float) -> None:
    heads = arrows[:, 1]
    along = heads - arrows[:, 0]
    length = np.hypot(along[:, :1], along[:, 1:])
    barb = along * np.minimum(0.35, 4.5 * size / np.maximum(length, 1e-6))
    side = 0.6 * barb[:, ::-1] * (-1.0, 1.0)
    barbs = [np.stack([heads, heads - barb + one], axis=1) for one in (side, -side)]
    _lines(picture, np.concatenate([arrows, *barbs]), AMBER, size)


def _bars(
    picture: Picture,
    activation: Activation,
    drawn: Annotation,
    levels: Mapping[int, float],
    size: float,
) -> None:
    """One bar for each unit, down the left side; its level as a tick, its name while active."""
    strip = picture[:, : round(144 * size)]
    cv2.convertScaleAbs(strip, strip, SHADE)
    active = {code for code, _ in drawn.active}
    pitch = picture.shape[0] / (len(activation.codes) + 1)
    left, right = 54 * size, 132 * size
    for row, (code, probability) in enumerate(
        zip(activation.codes, activation.probability.tolist(), strict=True)
    ):
        y = (row + 0.8) * pitch
        level = left + level_of(levels, code) * (right - left)
        ends = (left, left + probability * (right - left))
        is_active = code in active
        _line(picture, (left, y), (right, y), TRACK, size)
        _bar(picture, ends, y, BLUE if is_active else FAINT_BLUE, size)
        _line(picture, (level, y - 6 * size), (level, y + 6 * size), FAINT, size)
        _text(picture, f"AU{code:02d}", (12 * size, y), WHITE if is_active else FAINT, 0.42 * size)
        if is_active:
            _text(picture, name_of(code), (12 * size, y + 14 * size), WHITE, 0.36 * size)


def _bar(
    picture: Picture, ends: tuple[float, float], y: float, colour: Colour, size: float
) -> None:
    upper = round(ends[0]), round(y - 3.0 * size)
    lower = round(ends[1]), round(y + 3.0 * size)
    cv2.rectangle(picture, upper, lower, colour, cv2.FILLED)


def _line(
    picture: Picture,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: Colour,
    size: float,
) -> None:
    _lines(picture, np.array([start, end]), colour, size)


def _lines(picture: Picture, points: NDArray[Any], colour: Colour, size: float) -> None:
    """Lines between two points each: an array whose last axes are ``(2, 2)``."""
    fixed = np.round(points.reshape(-1, 2, 2) * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(picture, list(fixed), False, colour, max(1, round(size)), cv2.LINE_AA, SHIFT)


def _text(
    picture: Picture, text: str, place: tuple[float, float], colour: Colour, scale: float
) -> None:
    """Letters to the right of ``place``, which is in the middle of their height."""
    if scale < SMALLEST:
        return
    width = max(1, round(2.2 * scale))
    y = round(place[1] + 11 * scale)
    cv2.putText(picture, text, (round(place[0]), y), FONT, scale, colour, width, cv2.LINE_AA)
