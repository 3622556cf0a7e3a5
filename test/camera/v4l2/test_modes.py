"""Which mode is chosen of those that a camera offers."""

from __future__ import annotations

from fractions import Fraction

import pytest

from emopulse_ros.camera import CameraError
from emopulse_ros.camera.v4l2.modes import choose, offered
from emopulse_ros.camera.v4l2.node import Node

from .fake import FakeCamera, FakeKernel

VGA, WIDE, LOW = (640, 480), (1280, 800), (320, 240)

OFFERS = [
    ("MJPG", WIDE, (120.0, 60.0)),
    ("MJPG", VGA, (210.0, 120.0)),
    ("MJPG", LOW, (400.0,)),
    ("YUYV", VGA, (200.0, 100.0)),
    ("YUYV", WIDE, (10.0,)),
    ("GREY", VGA, (100.0, 50.0)),
]


def node(kernel: FakeKernel, camera: FakeCamera) -> Node:
    return Node(kernel, kernel.plug(camera, 0))


@pytest.mark.parametrize(
    ("size", "rate", "chosen"),
    [
        (VGA, 200.0, "YUYV 640x480 at 200 Hz"),
        (VGA, 204.0, "YUYV 640x480 at 200 Hz"),  # 2% less is no less
        (VGA, 210.0, "MJPG 640x480 at 210 Hz"),
        (VGA, 100.0, "GREY 640x480 at 100 Hz"),
        (VGA, 60.0, "GREY 640x480 at 100 Hz"),
        (VGA, 300.0, "MJPG 640x480 at 210 Hz"),
        (VGA, None, "MJPG 640x480 at 210 Hz"),
        (WIDE, 200.0, "MJPG 1280x800 at 120 Hz"),
        (WIDE, 5.0, "YUYV 1280x800 at 10 Hz"),
        ((1300, 790), 100.0, "MJPG 1280x800 at 120 Hz"),
        (None, 200.0, "YUYV 640x480 at 200 Hz"),
        (None, 300.0, "MJPG 320x240 at 400 Hz"),
        (None, 1000.0, "MJPG 320x240 at 400 Hz"),
    ],
)
def test_the_rate_is_reached_with_the_least_work(
    kernel: FakeKernel, size: tuple[int, int] | None, rate: float | None, chosen: str
) -> None:
    modes = offered(node(kernel, FakeCamera(OFFERS)), size, rate)
    assert len(modes) == 10
    assert str(choose(modes, size, rate)) == chosen


def test_grey_comes_before_yuyv_before_mjpeg(kernel: FakeKernel) -> None:
    order = ["MJPG", "Y10", "UYVY", "YUYV", "GREY"]
    modes = offered(node(kernel, FakeCamera([(name, VGA, (200.0,)) for name in order])))
    seen = []
    while modes:
        best = choose(modes, VGA, 200.0)
        seen.append(best.picture.split()[0])
        modes.remove(best)
    assert seen == ["GREY", "YUYV", "UYVY", "Y10", "MJPG"]


@pytest.mark.parametrize(
    ("size", "rate", "chosen", "at"),
    [
        ((647, 410), 200.0, (648, 412), 200.0),
        ((9000, 5), 1000.0, (1280, 32), 240.0),
        (None, 0.5, VGA, 1.0),
        (None, None, VGA, 240.0),
    ],
)
def test_ranges_give_what_is_nearest(
    kernel: FakeKernel,
    size: tuple[int, int] | None,
    rate: float | None,
    chosen: tuple[int, int],
    at: float,
) -> None:
    camera = FakeCamera([("GREY", (1286, 803), (240.0,))], ranges=True)
    mode = choose(offered(node(kernel, camera), size, rate), size, rate)
    assert (mode.size, mode.rate) == (chosen, at)


def test_a_camera_need_not_tell_its_rates(kernel: FakeKernel) -> None:
    camera = FakeCamera([("YUYV", VGA, (30.0,))], tells_intervals=False)
    mode = choose(offered(node(kernel, camera), VGA, 200.0), VGA, 200.0)
    assert (mode.interval, mode.rate, str(mode)) == (Fraction(0), 0.0, "YUYV 640x480")


def test_a_camera_that_cannot_be_read_says_what_it_has(kernel: FakeKernel) -> None:
    camera = FakeCamera([("H264", VGA, (30.0,)), ("NV12", VGA, (30.0,))])
    with pytest.raises(CameraError, match=r"it has H264, NV12, and one of GREY, YUYV, .* MJPG is"):
        offered(node(kernel, camera))
