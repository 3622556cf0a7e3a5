"""The exposure of a camera: by hand if a time is asked for, and in no case at the rate's cost."""

from __future__ import annotations

from ctypes import Structure

from emopulse_ros.camera.v4l2.calls import (
    CONTROL_DISABLED,
    EXPOSURE_ABSOLUTE,
    EXPOSURE_AUTO,
    EXPOSURE_AUTO_PRIORITY,
    EXPOSURE_MANUAL,
    EXPOSURE_SHUTTER_PRIORITY,
    G_CTRL,
    QUERYCTRL,
    S_CTRL,
)
from emopulse_ros.camera.v4l2.layouts import Control, ControlQuery
from emopulse_ros.camera.v4l2.node import Node

UNIT = 100.0
"""Exposure times are set in units of 100 µs."""


def settle_exposure(node: Node, asked: float | None, rate: float) -> list[str]:
    """Have pictures exposed for so many µs, None for as long as the camera itself is set to.

    Automatic exposure is kept from lowering the ``rate`` (frames per second). What comes out
    otherwise is told in the sentences that are returned.
    """
    # First, for a camera may refuse it once its exposure is set by hand, when it does not matter.
    _set(node, EXPOSURE_AUTO_PRIORITY, 0)
    remarks = [] if asked is None else _expose(node, asked)
    by_hand = _value(node, EXPOSURE_AUTO) in (None, EXPOSURE_MANUAL, EXPOSURE_SHUTTER_PRIORITY)
    time = _value(node, EXPOSURE_ABSOLUTE)
    most = 1e6 / rate
    if not by_hand and _value(node, EXPOSURE_AUTO_PRIORITY):
        remarks.append(
            f"{node.path} lowers its rate where it is dark, and cannot be told not to: ask for an "
            f"exposure below {most:.0f} us."
        )
    elif by_hand and time is not None and time * UNIT > most:
        remarks.append(
            f"{node.path} exposes for {time * UNIT:.0f} us, but a frame at {rate:.4g} Hz lasts "
            f"{most:.0f} us: the rate will suffer; ask for a shorter exposure."
        )
    return remarks


def _expose(node: Node, asked: float) -> list[str]:
    """Set the time; a sentence if it is another one then."""
    bounds = _bounds(node, EXPOSURE_ABSOLUTE)
    if bounds is None:
        return [
            f"{node.path} has no control of its exposure time, which should be {asked:.0f} us: it "
            "goes by its own."
        ]
    _set(node, EXPOSURE_AUTO, EXPOSURE_MANUAL)
    step = max(bounds.step, 1)
    steps = round((asked / UNIT - bounds.minimum) / step)
    _set(
        node,
        EXPOSURE_ABSOLUTE,
        min(max(bounds.minimum + steps * step, bounds.minimum), bounds.maximum),
    )
    got = _value(node, EXPOSURE_ABSOLUTE)
    mode = _value(node, EXPOSURE_AUTO)
    if mode not in (None, EXPOSURE_MANUAL):
        return [
            f"{node.path} keeps its automatic exposure, in place of the {asked:.0f} us asked for: "
            "it does not let it be switched off."
        ]
    if got is None or abs(got * UNIT - asked) > UNIT / 2:
        time = "an unknown time" if got is None else f"{got * UNIT:.0f} us"
        return [
            f"{node.path} exposes for {time}, not {asked:.0f} us as asked for: it can do "
            f"{bounds.minimum * UNIT:.0f} to {bounds.maximum * UNIT:.0f} us in steps of "
            f"{step * UNIT:.0f}."
        ]
    return []


def _bounds(node: Node, control: int) -> ControlQuery | None:
    query = ControlQuery(id=control)
    known = node.asks(QUERYCTRL, query) and not query.flags & CONTROL_DISABLED
    return query if known else None


def _set(node: Node, control: int, value: int) -> None:
    """Try to; what came of it, the camera is asked afterwards."""
    if _value(node, control) != value:
        node.asks(S_CTRL, Control(control, value))


def _value(node: Node, control: int) -> int | None:
    told: Structure = Control(control)
    return int(told.value) if node.asks(G_CTRL, told) else None
