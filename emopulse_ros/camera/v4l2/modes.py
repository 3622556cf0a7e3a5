"""What a camera offers: pixel formats, sizes and rates, and which of them does what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ctypes import Structure
from dataclasses import dataclass
from fractions import Fraction

from emopulse_ros.camera.judged_rate import TOLERANCE
from emopulse_ros.camera.source import CameraError
from emopulse_ros.camera.v4l2.calls import (
    CAPTURE,
    DISCRETE,
    ENUM_FMT,
    ENUM_FRAMEINTERVALS,
    ENUM_FRAMESIZES,
    letters,
)
from emopulse_ros.camera.v4l2.layouts import FormatDescription, FrameInterval, FrameSize, Ratio
from emopulse_ros.camera.v4l2.node import Node
from emopulse_ros.camera.v4l2.pixels import FORMATS

CUSTOMARY = (640, 480)
"""The size that is looked for if none is asked for."""

MOST = 1000
"""How many entries of a list are read: a driver that knows no end must not hold us."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of taking pictures.

    ``size`` in pixels and ``interval`` in s from one picture to the next are None and 0 where the
    device does not tell.
    """

    pixels: int
    size: tuple[int, int] | None
    interval: Fraction

    @property
    def rate(self) -> float:
        """Frames per second; 0 if unknown."""
        return float(1 / self.interval) if self.interval else 0.0

    def reaches(self, rate: float) -> bool:
        """Whether it is that fast."""
        return self.rate >= rate * (1.0 - TOLERANCE)

    @property
    def picture(self) -> str:
        """Pixel format and size, in words."""
        size = f" {self.size[0]}x{self.size[1]}" if self.size else ""
        return letters(self.pixels) + size

    def __str__(self) -> str:
        return f"{self.picture} at {self.rate:.4g} Hz" if self.interval else self.picture


def offered(
    node: Node, size: tuple[int, int] | None = None, rate: float | None = None
) -> list[Mode]:
    """Every mode whose pictures can be read here.

    Where sizes or rates come in ranges, it is those nearest to the ones asked for.

    :raises CameraError: if there is none.
    """
    formats = [entry.pixelformat for entry in _formats(node)]
    modes = [
        Mode(pixels, at, interval)
        for pixels in formats
        if pixels in FORMATS
        for at in _sizes(node, pixels, size or CUSTOMARY)
        for interval in _intervals(node, pixels, at, rate)
    ]
    if not modes:
        has = ", ".join(letters(pixels) for pixels in formats) or "none at all"
        readable = ", ".join(letters(pixels) for pixels in FORMATS)
        raise CameraError(
            f"{node.path} ('{node.card}') has no pixel format that can be read here: it has "
            f"{has}, and one of {readable} is needed."
        )
    return modes


def choose(
    modes: Iterable[Mode], size: tuple[int, int] | None = None, rate: float | None = None
) -> Mode:
    """The mode that does what is asked with the least work; if none does, the fastest.

    A size that is asked for comes before the rate, the customary one after it.
    """
    work = {pixels: order for order, pixels in enumerate(FORMATS)}
    wanted = size or CUSTOMARY

    def rank(mode: Mode) -> tuple[float, ...]:
        at = mode.size or wanted
        distance = abs(at[0] - wanted[0]) + abs(at[1] - wanted[1])
        reaches = rate is not None and mode.reaches(rate)
        speed = (0.0, 0.0) if reaches else (1.0, -mode.rate)
        first = (distance, *speed) if size else (*speed, distance)
        return (*first, work[mode.pixels], mode.rate)

    return min(modes, key=rank)


def _listed(node: Node, request: int, entry: type[Structure], **of: int) -> Iterator[Structure]:
    """The entries of one of the device's lists; none if it has no such list."""
    for index in range(MOST):
        item = entry(index=index, **of)
        if not node.asks(request, item):
            return
        yield item


def _formats(node: Node) -> Iterator[Structure]:
    return _listed(node, ENUM_FMT, FormatDescription, type=CAPTURE)


def _sizes(node: Node, pixels: int, wanted: tuple[int, int]) -> Iterator[tuple[int, int] | None]:
    known = False
    for entry in _listed(node, ENUM_FRAMESIZES, FrameSize, pixel_format=pixels):
        known = True
        if entry.type == DISCRETE:
            yield entry.discrete.width, entry.discrete.height
            continue
        steps = entry.stepwise
        yield (
            _stepped(wanted[0], steps.min_width, steps.max_width, steps.step_width),
            _stepped(wanted[1], steps.min_height, steps.max_height, steps.step_height),
        )
        return
    if not known:
        yield None


def _stepped(wanted: int, least: int, most: int, step: int) -> int:
    """The value nearest to the wanted one in a range with steps."""
    step = max(step, 1)
    steps = (min(max(wanted, least), most) - least + step // 2) // step
    return least + min(steps, (most - least) // step) * step


def _intervals(
    node: Node, pixels: int, size: tuple[int, int] | None, rate: float | None
) -> Iterator[Fraction]:
    known = False
    of = {"pixel_format": pixels, "width": size[0], "height": size[1]} if size else {}
    for entry in _listed(node, ENUM_FRAMEINTERVALS, FrameInterval, **of) if size else ():
        if entry.type == DISCRETE:
            interval = fraction(entry.discrete)
        else:
            interval = fraction(entry.stepwise.min)
            if rate is not None:
                asked = Fraction(1 / rate).limit_denominator(1_000_000)
                interval = max(interval, min(asked, fraction(entry.stepwise.max)))
        if interval:
            known = True
            yield interval
        if entry.type != DISCRETE:
            return
    if not known:
        yield Fraction(0)


def fraction(ratio: Ratio) -> Fraction:
    """The kernel's fraction; 0 if it makes no sense."""
    return Fraction(ratio.numerator, ratio.denominator) if ratio.denominator else Fraction(0)
