"""Size and rate of a camera, set and read back; what comes out otherwise, in sentences."""

from __future__ import annotations

from fractions import Fraction

from emopulse_ros.camera.judged_rate import TOLERANCE
from emopulse_ros.camera.live import Wish
from emopulse_ros.camera.source import CameraError
from emopulse_ros.camera.v4l2.calls import (
    CAP_TIME_PER_FRAME,
    CAPTURE,
    G_FMT,
    G_PARM,
    PROGRESSIVE,
    S_FMT,
    S_PARM,
    letters,
)
from emopulse_ros.camera.v4l2.layouts import Format, PixelFormat, StreamParameters
from emopulse_ros.camera.v4l2.modes import Mode, choose, fraction
from emopulse_ros.camera.v4l2.node import Node


def set_format(node: Node, mode: Mode, wish: Wish) -> tuple[PixelFormat, list[str]]:
    """Set pixel format and size; what the device made of it.

    :raises CameraError: if it does not give what it offers.
    """
    size = mode.size or wish.size
    if size is None:
        now = Format(type=CAPTURE)
        node.call(G_FMT, now, "tell its picture size")
        size = now.pix.width, now.pix.height
    form = Format(type=CAPTURE)
    form.pix.width, form.pix.height = size
    form.pix.pixelformat = mode.pixels
    form.pix.field = PROGRESSIVE
    node.call(S_FMT, form, f"be set to {mode}")
    got = (form.pix.width, form.pix.height)
    if form.pix.pixelformat != mode.pixels or 0 in got:
        raise CameraError(
            f"{node.path} offers {mode} and then gives {letters(form.pix.pixelformat)} "
            f"{got[0]}x{got[1]}: ask for another size."
        )
    if wish.size is None or wish.size == got:
        return form.pix, []
    return form.pix, [
        f"{node.path} gives pictures of {got[0]}x{got[1]}, not {wish.size[0]}x{wish.size[1]} as "
        "asked for: that is the nearest size it has."
    ]


def set_rate(node: Node, mode: Mode, modes: list[Mode], wish: Wish) -> tuple[float, list[str]]:
    """Set the rate; what the device says it is then, in frames per second, 0 if it says nothing."""
    interval = mode.interval
    if not interval and wish.rate is not None:
        interval = Fraction(1 / wish.rate).limit_denominator(1_000_000)
    told = StreamParameters(type=CAPTURE)
    settable = node.asks(G_PARM, told) and told.capture.capability & CAP_TIME_PER_FRAME
    if settable and interval:
        parameters = StreamParameters(type=CAPTURE)
        parameters.capture.timeperframe.numerator = interval.numerator
        parameters.capture.timeperframe.denominator = interval.denominator
        if node.asks(S_PARM, parameters):
            told = parameters
    got = fraction(told.capture.timeperframe)
    if not got:
        return 0.0, [f"{node.path} does not say at which rate it takes pictures."]
    rate = float(1 / got)
    if wish.rate is None or abs(rate / wish.rate - 1.0) <= TOLERANCE:
        return rate, []
    return rate, [
        f"{node.path} takes {mode.picture} at {rate:.4g} Hz, not {wish.rate:g} Hz as asked for: "
        f"{_advice(mode, modes, wish.rate)}."
    ]


def _advice(mode: Mode, modes: list[Mode], rate: float) -> str:
    """What to do about a rate that is not the one asked for."""
    best = choose(modes, None, rate)
    if mode.reaches(rate):
        return f"it offers {mode}; ask for that rate, or change its exposure"
    if best.size is not None and best.rate > mode.rate:
        return f"ask for {best.size[0]}x{best.size[1]}, which it takes at {best.rate:.4g} Hz"
    return "it has no faster mode"
