"""Exposure times, set by hand, and what is said when they are others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emopulse_ros.camera.v4l2.calls import (
    CONTROL_DISABLED,
    EXPOSURE_ABSOLUTE,
    EXPOSURE_AUTO,
    EXPOSURE_AUTO_PRIORITY,
)
from emopulse_ros.camera.v4l2.exposure import settle_exposure
from emopulse_ros.camera.v4l2.node import Node

from .fake import FakeCamera, FakeKernel, Knob


@pytest.fixture
def camera() -> FakeCamera:
    """One that exposes by itself, as it comes out of its box."""
    return FakeCamera(
        [("GREY", (64, 48), (200.0,))],
        {
            EXPOSURE_AUTO: Knob(3),
            EXPOSURE_AUTO_PRIORITY: Knob(1, 0, 1),
            EXPOSURE_ABSOLUTE: Knob(156, 1, 5000),
        },
    )


@pytest.fixture
def node(kernel: FakeKernel, camera: FakeCamera) -> Iterator[Node]:
    opened = Node(kernel, kernel.plug(camera, 0))
    yield opened
    kernel.close(opened.fd)


def values(camera: FakeCamera) -> list[int]:
    return [camera.knobs[control].value for control in sorted(camera.knobs)]


def test_a_time_is_set_by_hand(node: Node, camera: FakeCamera) -> None:
    assert settle_exposure(node, 2000.0, 200.0) == []
    assert values(camera) == [1, 20, 0]


def test_without_one_the_camera_goes_on_by_itself(node: Node, camera: FakeCamera) -> None:
    assert settle_exposure(node, None, 200.0) == []
    assert values(camera) == [3, 156, 0]


@pytest.mark.parametrize(
    ("asked", "ticks", "told"),
    [(3960.0, 40, 0), (30.0, 1, 1), (9e5, 5000, 2)],
)
def test_bounds_are_kept_and_told(
    node: Node, camera: FakeCamera, asked: float, ticks: int, told: int
) -> None:
    remarks = settle_exposure(node, asked, 200.0)
    assert camera.knobs[EXPOSURE_ABSOLUTE].value == ticks
    assert len(remarks) == told
    assert not told or (
        f"exposes for {ticks * 100} us, not {asked:.0f} us as asked for: it can do 100 to "
        "500000 us in steps of 100." in remarks[0]
    )


def test_steps_are_kept(node: Node, camera: FakeCamera) -> None:
    camera.knobs[EXPOSURE_ABSOLUTE] = Knob(3, 3, 33, 10)
    assert "exposes for 1300 us, not 1500 us" in settle_exposure(node, 1500.0, 200.0)[0]
    assert camera.knobs[EXPOSURE_ABSOLUTE].value == 13


@pytest.mark.parametrize("asked", [None, 8000.0])
def test_one_longer_than_a_frame_is_told(
    node: Node, camera: FakeCamera, asked: float | None
) -> None:
    if asked is None:
        camera.knobs[EXPOSURE_AUTO].value = 1
        camera.knobs[EXPOSURE_ABSOLUTE].value = 80
    assert settle_exposure(node, asked, 200.0) == [
        f"{node.path} exposes for 8000 us, but a frame at 200 Hz lasts 5000 us: the rate will "
        "suffer; ask for a shorter exposure."
    ]
    assert settle_exposure(node, asked, 100.0) == []


def test_a_camera_without_controls(node: Node, camera: FakeCamera) -> None:
    camera.knobs.clear()
    assert settle_exposure(node, None, 200.0) == []
    assert "has no control of its exposure time" in settle_exposure(node, 2000.0, 200.0)[0]


def test_a_disabled_control_is_none(node: Node, camera: FakeCamera) -> None:
    camera.knobs[EXPOSURE_ABSOLUTE].flags = CONTROL_DISABLED
    assert "has no control of its exposure time" in settle_exposure(node, 2000.0, 200.0)[0]
    assert camera.knobs[EXPOSURE_ABSOLUTE].value == 156


def test_one_that_stays_automatic(node: Node, camera: FakeCamera) -> None:
    camera.knobs[EXPOSURE_AUTO].stuck = True
    assert "keeps its automatic exposure" in settle_exposure(node, 2000.0, 200.0)[0]


def test_one_that_lowers_its_rate_where_it_is_dark(node: Node, camera: FakeCamera) -> None:
    camera.knobs[EXPOSURE_AUTO_PRIORITY].stuck = True
    assert "ask for an exposure below 5000 us" in settle_exposure(node, None, 200.0)[0]
    # By hand there is nothing to fear.
    assert settle_exposure(node, 2000.0, 200.0) == []
