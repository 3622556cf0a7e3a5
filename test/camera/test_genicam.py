"""GenICam cameras: the GigE Vision one that Aravis simulates on loopback, and that in-process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emopulse_ros.camera import CameraError, Live, Wish, genicam, open_camera
from emopulse_ros.camera.clock import DeviceClock
from emopulse_ros.camera.genicam import GenicamDevice
from emopulse_ros.camera.genicam_settings import apply_settings
from emopulse_ros.stream import Frame

from .gige import Gige, need_aravis, own_gige

SIZE = (640, 480)
PATTERN = np.add.outer(np.arange(480), np.arange(640))


@pytest.fixture
def gige() -> Iterator[Gige]:
    with own_gige() as camera:
        yield camera


@pytest.fixture
def fake() -> str:
    """The id of the camera that Aravis simulates inside this process."""
    need_aravis()
    return "Fake_1"


class Witness(DeviceClock):
    """A clock that remembers what it was asked."""

    asked: list[int]

    def stamp(self, device: int) -> int:
        self.asked.append(device)
        return super().stamp(device)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When the camera's own clock says its pictures were taken, in ns."""
    monkeypatch.setattr(genicam, "DeviceClock", Witness)
    monkeypatch.setattr(Witness, "asked", [], raising=False)
    return Witness.asked


def opened(gige: Gige) -> Live:
    camera = open_camera(gige.spec, rate=200.0, size=SIZE, exposure=10_000.0)
    assert isinstance(camera, Live)
    return camera


def check(frames: list[Frame]) -> None:
    """Each picture is what the camera drew for that number, and their stamps rise."""
    first = frames[0]
    for frame in frames:
        number = int(first.image[0, 0]) + frame.sequence - first.sequence
        # 65535 and 0 have the same rest: the pattern goes through the wrap like the count.
        assert np.array_equal(frame.image, (PATTERN + number) % 255)
        assert not frame.image.flags.writeable
    assert all(a.stamp < b.stamp for a, b in pairwise(frames))


def gaps(frames: list[Frame]) -> int:
    return frames[-1].sequence - frames[0].sequence + 1 - len(frames)


def test_pictures_come_with_the_cameras_own_times_and_numbers(gige: Gige, asked: list[int]) -> None:
    gige.plug_in()
    with opened(gige) as camera:
        assert (camera.rate, camera.size) == (200.0, SIZE)
        frames = [next(camera)]
        lost = camera.skipped
        frames += [next(camera) for _ in range(299)]
        lost = camera.skipped - lost
        now = time.time_ns()
    check(frames)
    # If the machine is too slow some do not come; they are counted.
    assert lost == gaps(frames)
    for k in range(1, 300):
        passed = asked[k] - asked[k - 1]
        assert abs(frames[k].stamp - frames[k - 1].stamp - passed) <= passed // 500
    assert 0 <= now - frames[-1].stamp < 10_000_000_000


def test_lost_packets_cost_their_pictures_and_no_more(gige: Gige) -> None:
    gige.plug_in(lost_per_thousand=2)
    with opened(gige) as camera:
        frames = [next(camera)]
        lost = camera.skipped
        frames += [next(camera) for _ in range(250)]
        lost = camera.skipped - lost
    check(frames)
    # 221 packets a picture, of which 2 in a thousand are lost: a third of the pictures.
    assert gaps(frames) > 25
    assert lost == gaps(frames)


def test_unplugged_and_plugged_in_again_it_comes_back_by_itself(
    gige: Gige, soon: Callable[..., bool]
) -> None:
    gige.plug_in()
    camera = opened(gige)
    camera.open()
    seen: list[Frame] = []
    reader = threading.Thread(target=lambda: seen.extend(camera))
    reader.start()
    try:
        assert soon(lambda: len(seen) > 20)
        gige.unplug()
        assert soon(lambda: camera.status)
        assert camera.status.endswith("It is looked for again.")
        before = len(seen)
        gige.plug_in()
        assert soon(lambda: len(seen) > before + 20)
    finally:
        camera.rest()
        reader.join(10.0)
    assert not reader.is_alive()
    assert f"{gige.spec} is back." in camera.remarks()
    check(seen[:before])
    assert seen[before].sequence == seen[before - 1].sequence + 1
    assert all(a.stamp < b.stamp for a, b in pairwise(seen))


def test_it_is_given_back_also_when_it_has_just_gone(gige: Gige) -> None:
    gige.plug_in()
    camera = opened(gige)
    camera.open()
    next(camera)
    gige.unplug()
    camera.rest()
    assert camera._device is None


def test_a_camera_in_use_is_told_and_free_after(gige: Gige) -> None:
    gige.plug_in()
    with opened(gige) as camera:
        next(camera)
        with pytest.raises(CameraError, match=r"genicam:127\.0\.0\.1 is in use by another program"):
            opened(gige).open()
    with opened(gige) as camera:
        next(camera)


def test_the_node_gives_its_pictures_and_gives_it_back(
    gige: Gige, ros: Any, soon: Callable[..., bool]
) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes.camera_node import CameraNode

    gige.plug_in()
    process = ros.process(
        "--ros-args", "-p", f"camera:={gige.spec}", "-p", "width:=640", "-p", "height:=480",
        "-p", "exposure:=10000.0", "-p", "autostart:=false",
    )  # fmt: skip
    node = CameraNode(context=process.context)
    process.spinner.add(node)
    heard: list[Any] = []
    ros.process().node("viewer").create_subscription(
        Image, "/emopulse/camera/image_raw", heard.append, qos_profile_sensor_data
    )
    process.spinner.call(node.trigger_configure)
    for _ in range(2):
        heard.clear()
        process.spinner.call(node.trigger_activate)
        assert soon(lambda: len(heard) > 20)
        image = heard[0]
        picture = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width)
        assert image.encoding == "mono8"
        assert np.array_equal(picture, (PATTERN + int(picture[0, 0])) % 255)
        process.spinner.call(node.trigger_deactivate)
        elsewhere = GenicamDevice("127.0.0.1", Wish(200.0))
        elsewhere.close()
    process.spinner.call(node.shut_down)
    process.spinner.remove(node)
    node.destroy_node()


def test_the_camera_inside_counts_through_its_wrap(fake: str) -> None:
    with open_camera(f"genicam:{fake}", rate=500.0, size=SIZE, exposure=10_000.0) as camera:
        frames = [next(camera) for _ in range(200)]
        assert isinstance(camera, Live)
        assert camera.remarks() == []
    check(frames)


def test_what_it_cannot_do_is_told(fake: str) -> None:
    device = GenicamDevice(fake, Wish(5000.0, (3000, 300), 5.0))
    device.close()
    device.close()
    assert (device.rate, device.size) == (1000.0, (2048, 300))
    assert device.remarks == [
        "genicam:Fake_1 takes pictures of 2048x300 pixels, not 3000x300.",
        "genicam:Fake_1 exposes for 10 µs, not 5.",
        "genicam:Fake_1 can take 1000.0 frames a second as it is set, not 5000.",
    ]


@pytest.mark.parametrize("inside", [True, False])
def test_its_exposure_is_set_while_it_takes_pictures(
    inside: bool, request: pytest.FixtureRequest
) -> None:
    if inside:
        spec = f"genicam:{request.getfixturevalue('fake')}"
    else:
        gige = request.getfixturevalue("gige")
        gige.plug_in()
        spec = gige.spec
    with open_camera(spec, rate=200.0, size=SIZE, exposure=3000.0) as camera:
        assert isinstance(camera, Live)
        next(camera)
        assert isinstance(camera._device, GenicamDevice)
        there = camera._device._held[0]
        assert there.get_exposure_time() == 3000.0
        camera.expose(2000.0)
        next(camera)
        assert there.get_exposure_time() == 2000.0
        assert camera.remarks() == []
        camera.expose(5.0)
        next(camera)
        assert there.get_exposure_time() == 10.0
        assert f"{spec} exposes for 10 µs, not 5." in camera.remarks()
        # Ever the same device: nothing was opened anew.
        assert camera._device._held[0] is there


def test_an_exposure_longer_than_the_rate_lets_is_cut_unasked(fake: str) -> None:
    device = GenicamDevice(fake, Wish(200.0))
    exposure = device._held[0].get_exposure_time()
    device.close()
    assert exposure == 4000.0
    assert device.remarks == []


def test_a_camera_without_gray_pictures_is_refused() -> None:
    camera = SimpleNamespace(dup_available_pixel_formats_as_strings=lambda: ["BayerRG8", "RGB8"])
    with pytest.raises(CameraError, match=r"c has no 8-bit gray pictures .*only BayerRG8, RGB8;"):
        apply_settings(SimpleNamespace(), camera, "c", Wish())  # type: ignore[arg-type]


class Wire:
    """A stream whose buffers a test looks at before they are read."""

    def __init__(self, stream: Any, spoil: Callable[[Any], Any]) -> None:
        self._stream = stream
        self._spoil = spoil
        self._whole: Any = None

    def timeout_pop_buffer(self, microseconds: int) -> Any:
        self._whole = self._stream.timeout_pop_buffer(microseconds)
        return self._whole and self._spoil(self._whole)

    def push_buffer(self, _: Any) -> None:
        self._stream.push_buffer(self._whole)


def test_a_camera_that_tells_no_time_is_stamped_by_arrival(fake: str) -> None:
    def timeless(buffer: Any) -> Any:
        buffer.set_timestamp(0)
        return buffer

    device = GenicamDevice(fake, Wish(500.0, (64, 48)))
    device._stream = Wire(device._stream, timeless)
    frames = [frame for frame in (device.read() for _ in range(100)) if frame is not None]
    device.close()
    assert len(frames) > 50
    assert all(a.stamp < b.stamp for a, b in pairwise(frames))
    assert abs(time.time_ns() - frames[-1].stamp) < 10_000_000_000
    assert len(device.remarks) == 1
    assert "does not say when it takes pictures" in device.remarks[0]


def test_a_camera_whose_every_picture_is_damaged_is_counted_and_told(fake: str) -> None:
    device = GenicamDevice(fake, Wish(500.0, (64, 48)))
    while device.read() is None:
        pass
    whole, device._stream = (
        device._stream,
        Wire(device._stream, lambda _: SimpleNamespace(get_status=lambda: "missing packets")),
    )
    while not device.remarks:
        assert device.read() is None
    assert device.lost >= 1000
    device._stream, lost = whole, device.lost
    assert isinstance(device.read(), Frame)
    device.close()
    assert "Every picture of genicam:Fake_1 comes damaged" in device.remarks[0]
    # Counted once, not as damaged and as a gap.
    assert device.lost - lost < 100
