"""Which camera a spec means, and where it is found again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from emopulse_ros.camera import DEVICES, CameraError, Live, Wish, open_camera
from emopulse_ros.camera import live as live_module
from emopulse_ros.camera.v4l2 import Opener, calls, listing

from .fake import FakeCamera, FakeKernel

SIZE = (64, 48)
WISH = Wish(500.0, SIZE)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, kernel: FakeKernel) -> Iterator[None]:
    monkeypatch.setattr(live_module, "RETRY_S", 0.01)
    monkeypatch.setitem(DEVICES, "v4l2", Opener(kernel))
    yield
    assert kernel.is_clean()


def camera(card: str = "Fake camera", **more: object) -> FakeCamera:
    return FakeCamera([("GREY", SIZE, (500.0,))], card=card, **more)  # type: ignore[arg-type]


def test_a_spec_opens_a_live_camera(kernel: FakeKernel) -> None:
    path = kernel.plug(camera(), 0)
    with open_camera(f"v4l2:{path}", rate=500.0, size=SIZE) as live:
        assert isinstance(live, Live)
        assert (live.size, live.rate) == (SIZE, 500.0)
        assert next(live).image.shape == SIZE[::-1]
    assert kernel.is_clean()


def test_no_path_means_the_first_that_answers(kernel: FakeKernel) -> None:
    kernel.plug(camera(capabilities=calls.CAP_METADATA | calls.CAP_STREAMING), 1)
    kernel.plug(camera(refuses={calls.S_FMT: 16}), 2)
    wanted = camera()
    kernel.plug(camera(), 10)
    kernel.plug(wanted, 9)
    device = Opener(kernel)("", WISH)
    assert wanted.streaming
    device.close()


def test_no_camera_at_all(kernel: FakeKernel) -> None:
    with pytest.raises(CameraError, match=r"No camera is plugged in: there is no /dev/video\*\."):
        Opener(kernel)("", WISH)
    kernel.plug(camera(capabilities=calls.CAP_METADATA), 1)
    with pytest.raises(CameraError, match=r"No camera answers\. .*video1 gives data about"):
        Opener(kernel)("", WISH)


@pytest.mark.parametrize("spec", ["{}", ""])
def test_a_camera_is_found_again_under_another_number(kernel: FakeKernel, spec: str) -> None:
    fake, other = camera("The one"), camera("Another")
    path = kernel.plug(fake, 0, by_id="usb-The_one-video-index0")
    wish = Wish(500.0, SIZE)
    opener = partial(Opener(kernel), spec.format(path))
    with Live("v4l2:test", opener, wish) as live:
        before = next(live)
        kernel.unplug(fake)
        # Another camera takes its number before it is back.
        fake_is_back = iter([False, True])

        def make(wish: Wish) -> object:
            if next(fake_is_back, None):
                kernel.plug(fake, 4, by_id="usb-The_one-video-index0")
                kernel.plug(other, 0, by_id="usb-Another-video-index0")
            return opener(wish)

        live._make = make  # type: ignore[assignment]
        after = next(live)
        assert fake.streaming
        assert not other.streaming
        assert after.sequence > before.sequence
        assert after.stamp > before.stamp
        gone, back = live.remarks()
        assert gone.endswith("has gone away. It is looked for again.")
        assert back == "v4l2:test is back."


def test_without_a_lasting_name_it_is_found_by_its_number(kernel: FakeKernel) -> None:
    first, second = camera(), camera()
    path = kernel.plug(first, 0)
    opener = Opener(kernel)
    opener(str(path), WISH).close()
    kernel.unplug(first)
    with pytest.raises(CameraError, match="There is no"):
        opener(str(path), WISH)
    kernel.plug(second, 0)
    device = opener(str(path), WISH)
    assert second.streaming
    device.close()


def test_another_camera_in_the_place_of_one_that_is_gone(kernel: FakeKernel) -> None:
    first, second = camera(), camera()
    opener = Opener(kernel)
    path = kernel.plug(first, 0, by_id="usb-First-video-index0")
    opener(str(path), WISH).close()
    kernel.unplug(first)
    kernel.plug(second, 0, by_id="usb-Second-video-index0")
    device = opener(str(path), WISH)
    assert second.streaming
    device.close()
    # From now on it is that one.
    kernel.unplug(second)
    kernel.plug(first, 0, by_id="usb-First-video-index0")
    kernel.plug(second, 1, by_id="usb-Second-video-index0")
    device = opener(str(path), WISH)
    assert second.streaming
    device.close()


def test_the_listing_tells_what_cameras_can_do(kernel: FakeKernel) -> None:
    offers = [
        ("MJPG", (1280, 800), (120.0, 60.0)),
        ("MJPG", (640, 480), (120.0,)),
        ("GREY", (640, 400), (210.0,)),
        ("H264", (640, 480), (30.0,)),
    ]
    kernel.plug(FakeCamera(offers, card="OV9281"), 0)
    kernel.plug(camera(capabilities=calls.CAP_METADATA), 1)
    kernel.plug(camera(), 2)
    kernel.forbidden.add("video2")
    first, second = listing(kernel)
    assert first == (
        f"{kernel.folder}/video0 (OV9281): MJPG 1280x800 at 120 Hz, GREY 640x400 at 210 Hz"
    )
    assert "usermod" in second
