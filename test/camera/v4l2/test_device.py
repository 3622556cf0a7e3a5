"""A camera that streams: its pictures, stamps and numbers, and what it says of itself."""

from __future__ import annotations

import errno
import gc
import select
import time
from collections.abc import Callable
from ctypes import Structure, c_int
from itertools import pairwise

import numpy as np
import pytest

from emopulse_ros.camera import CameraError, Wish
from emopulse_ros.camera.live import SILENCE_S, START_S, UnpluggedError
from emopulse_ros.camera.v4l2 import calls
from emopulse_ros.camera.v4l2.device import BUFFERS, VideoDevice
from emopulse_ros.stream import Frame

from .fake import FakeCamera, FakeKernel, Knob

SIZE = (64, 48)
WISH = Wish(500.0, SIZE)


def camera(kind: str = "GREY", rate: float = 500.0, **more: object) -> FakeCamera:
    return FakeCamera([(kind, SIZE, (rate, 30.0))], **more)  # type: ignore[arg-type]


def opened(kernel: FakeKernel, fake: FakeCamera, wish: Wish = WISH) -> VideoDevice:
    return VideoDevice(kernel.plug(fake, 0), wish, kernel)


def read(device: VideoDevice, count: int) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < count:
        frame = device.read()
        if frame is not None:
            frames.append(frame)
    return frames


@pytest.mark.parametrize("padding", [0, 16])
@pytest.mark.parametrize("kind", ["GREY", "YUYV", "UYVY", "Y10", "MJPG"])
def test_every_pixel_format_gives_the_picture(kernel: FakeKernel, kind: str, padding: int) -> None:
    fake = camera(kind, padding=padding)
    device = opened(kernel, fake)
    assert (device.size, device.rate, device.remarks) == (SIZE, 500.0, [])
    for frame in read(device, 5):
        assert frame.image.shape == (48, 64)
        assert frame.image.dtype == np.uint8
        error = np.abs(frame.image.astype(int) - fake.picture(frame.sequence))
        # What wraps from 255 to 0 is an edge, which JPEG blurs.
        assert error.max() == 0 if kind != "MJPG" else np.median(error) <= 2
    device.close()


def test_a_picture_stays_as_it_is(kernel: FakeKernel) -> None:
    fake = camera()
    device = opened(kernel, fake)
    frames = read(device, 3 * BUFFERS)
    device.close()
    device.close()
    gc.collect()
    assert kernel.is_clean()
    for frame in frames:
        assert not frame.image.flags.writeable
        assert frame.image.flags.c_contiguous
        np.testing.assert_array_equal(frame.image, fake.picture(frame.sequence))


def test_stamps_are_the_kernels_as_wall_time(kernel: FakeKernel) -> None:
    device = opened(kernel, camera())
    begun = time.time_ns()
    frames = read(device, 20)
    ended = time.time_ns()
    device.close()
    assert all(begun - 50_000_000 < frame.stamp < ended for frame in frames)
    for one, other in pairwise(frames):
        steps = other.sequence - one.sequence
        # To the microsecond, which no arrival is.
        assert abs(other.stamp - one.stamp - 2_000_000 * steps) < 100_000
    assert device.remarks == []


@pytest.mark.parametrize(
    "more", [{"monotonic": False}, {"clock": time.time_ns}, {"clock": lambda: -(10**18)}]
)
def test_stamps_of_another_clock_give_way_to_the_arrival(
    kernel: FakeKernel, more: dict[str, object]
) -> None:
    begun = time.time_ns()
    device = opened(kernel, camera(**more))
    frames = read(device, 20)
    device.close()
    assert all(begun < frame.stamp < time.time_ns() for frame in frames)
    assert all(one.stamp < other.stamp for one, other in pairwise(frames))
    assert len(device.remarks) == 1
    assert "the time of their arrival is taken" in device.remarks[0]


def test_what_is_lost_is_counted_and_leaves_a_gap(kernel: FakeKernel) -> None:
    fake = camera(
        tells=lambda number: 2**32 - 3 + number,
        lost=frozenset({3, 4}),
        damaged=frozenset({6}),
        short=frozenset({8}),
    )
    device = opened(kernel, fake)
    frames = read(device, 10)
    device.close()
    # The machine may lose some of its own; the picture says which one it is.
    sequences = [frame.sequence for frame in frames]
    assert not {3, 4, 6, 8} & set(sequences)
    assert device.lost == sequences[-1] + 1 - len(sequences) >= 4
    for frame in frames:
        np.testing.assert_array_equal(frame.image, fake.picture(frame.sequence))


@pytest.mark.parametrize("kind", ["MJPG", "YUYV"])
def test_a_picture_that_was_cut_off_is_lost(kernel: FakeKernel, kind: str) -> None:
    device = opened(kernel, camera(kind, short=frozenset({1, 2})))
    sequences = [frame.sequence for frame in read(device, 4)]
    device.close()
    assert not {1, 2} & set(sequences)
    assert device.lost == sequences[-1] + 1 - len(sequences)


@pytest.mark.parametrize("tells", [lambda _: 0, lambda number: number % 2])
def test_a_driver_that_does_not_count_is_counted(
    kernel: FakeKernel, tells: Callable[[int], int]
) -> None:
    device = opened(kernel, camera(tells=tells))
    assert [frame.sequence for frame in read(device, 5)] == [0, 1, 2, 3, 4]
    assert device.lost == 0
    device.close()


def test_a_reader_that_is_held_up_loses_what_the_buffers_do_not_hold(kernel: FakeKernel) -> None:
    device = opened(kernel, camera())
    read(device, 2)
    time.sleep(0.06)
    sequences = [frame.sequence for frame in read(device, BUFFERS + 2)]
    device.close()
    assert device.lost == sequences[-1] + 1 - 2 - len(sequences) > 10


def test_a_slow_camera_holds_nobody(kernel: FakeKernel) -> None:
    device = opened(kernel, camera(rate=1.0), Wish(1.0, SIZE))
    begun = time.monotonic()
    assert device.read() is None
    assert time.monotonic() - begun >= 0.2
    device.close()


def read_to_its_end(device: VideoDevice) -> float:
    """Read until the device is gone; after how many s it was."""
    begun = time.monotonic()

    def read_on() -> None:
        while time.monotonic() - begun < 20.0:
            device.read()

    with pytest.raises(UnpluggedError, match=r"video0 sends no pictures any more\."):
        read_on()
    return time.monotonic() - begun


def test_a_camera_that_falls_silent_has_gone(kernel: FakeKernel) -> None:
    fake = camera()
    device = opened(kernel, fake)
    read(device, 5)
    fake.silent = True
    assert read_to_its_end(device) >= SILENCE_S - 0.01
    device.close()
    gc.collect()
    assert kernel.is_clean()


def test_one_that_never_begins_has_more_time(kernel: FakeKernel) -> None:
    device = opened(kernel, camera(silent=True))
    assert read_to_its_end(device) >= START_S - 0.01
    device.close()


def test_one_that_is_slower_than_it_says_is_waited_for(kernel: FakeKernel) -> None:
    # 0.6 s of exposure at what it calls 500 Hz.
    knobs = {calls.EXPOSURE_AUTO: Knob(1), calls.EXPOSURE_ABSOLUTE: Knob(6000, 1, 10_000)}
    device = opened(kernel, camera(knobs=knobs))
    assert [frame.sequence for frame in read(device, 4)] == [0, 1, 2, 3]
    device.close()


def test_its_exposure_is_set_while_it_takes_pictures(kernel: FakeKernel) -> None:
    knobs = {calls.EXPOSURE_AUTO: Knob(3), calls.EXPOSURE_ABSOLUTE: Knob(156, 1, 10_000)}
    fake = camera(knobs=knobs)
    device = opened(kernel, fake)
    read(device, 3)
    device.expose(1000.0)
    assert [knob.value for knob in knobs.values()] == [calls.EXPOSURE_MANUAL, 10]
    assert device.remarks == []
    read(device, 3)
    device.expose(1030.0)
    assert device.remarks == []
    # Longer than it can, and than a frame lasts.
    device.expose(2e6)
    assert knobs[calls.EXPOSURE_ABSOLUTE].value == 10_000
    asked, rate = device.remarks
    assert "exposes for 1000000 us, not 2000000 us as asked for" in asked
    assert "the rate will suffer" in rate
    # It is waited for all the same.
    assert len(read(device, 2)) == 2
    device.close()


def test_one_that_is_pulled_out_as_its_exposure_is_set(kernel: FakeKernel) -> None:
    fake = camera()
    device = opened(kernel, fake)
    kernel.unplug(fake)
    with pytest.raises(UnpluggedError, match=r"video0 has gone away\."):
        device.expose(1000.0)
    device.close()


def test_damaged_pictures_are_no_silence(kernel: FakeKernel) -> None:
    device = opened(kernel, camera(rate=100.0, damaged=frozenset(range(3, 10_000))))
    read(device, 3)
    begun = time.monotonic()
    while time.monotonic() - begun < 2 * SILENCE_S:
        assert device.read() is None
    device.close()


@pytest.mark.parametrize("quiet", [False, True])
def test_an_unplugged_camera_says_so(kernel: FakeKernel, quiet: bool) -> None:
    fake = camera(quiet=quiet)
    device = opened(kernel, fake)
    read(device, 2)
    kernel.unplug(fake)
    with pytest.raises(UnpluggedError, match=r"video0 has gone away\."):
        read(device, BUFFERS + 1)
    device.close()
    gc.collect()
    assert kernel.is_clean()


def test_a_queue_that_has_failed_is_opened_anew(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = opened(kernel, camera())
    monkeypatch.setattr(kernel, "wait", lambda *_: select.POLLIN | select.POLLERR)
    with pytest.raises(UnpluggedError):
        device.read()
    device.close()


def test_one_that_is_pulled_out_as_it_is_opened(kernel: FakeKernel) -> None:
    with pytest.raises(UnpluggedError):
        opened(kernel, camera(refuses={calls.G_PARM: errno.ENODEV}))
    assert kernel.is_clean()


def test_a_driver_that_gives_another_format_than_it_offers(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = kernel.ioctl

    def false(fd: int, request: int, argument: Structure | c_int) -> None:
        true(fd, request, argument)
        if request == calls.S_FMT:
            argument.pix.pixelformat = calls.fourcc("H264")  # type: ignore[union-attr]

    monkeypatch.setattr(kernel, "ioctl", false)
    with pytest.raises(CameraError, match="offers GREY 64x48 at 500 Hz and then gives H264 64x48"):
        opened(kernel, camera())


def test_a_driver_that_stops_can_be_opened_anew(kernel: FakeKernel) -> None:
    fake = camera()
    device = opened(kernel, fake)
    fake.refuses = {calls.DQBUF: errno.EIO}
    with pytest.raises(UnpluggedError, match="has stopped: Input/output error"):
        read(device, 1)
    device.close()


@pytest.mark.parametrize(
    ("call", "number", "says"),
    [
        (calls.S_FMT, errno.EBUSY, r"in use by another program; `fuser -v .*video0` names it"),
        (calls.REQBUFS, errno.ENOMEM, "could not make buffers for its pictures: Cannot allocate"),
        (calls.STREAMON, errno.ENOSPC, "no room on its USB bus"),
        (calls.STREAMON, errno.EIO, r"could not begin .*: Input/output error\. .*dmesg"),
        (calls.QUERYCAP, errno.ENOTTY, "is not a video device"),
        (calls.ENUM_FMT, errno.EINVAL, "it has none at all"),
    ],
)
def test_a_camera_that_cannot_be_opened_says_why(
    kernel: FakeKernel, call: int, number: int, says: str
) -> None:
    fake = camera(refuses={call: number})
    with pytest.raises(CameraError, match=says) as caught:
        opened(kernel, fake)
    assert "\n" not in str(caught.value)
    # Though the error is still held, and its traceback: the device must be free for another try.
    assert kernel.is_clean()
    fake.refuses = {}
    device = VideoDevice(kernel.folder / "video0", WISH, kernel)
    read(device, 1)
    device.close()


@pytest.mark.parametrize(
    ("capabilities", "says"),
    [
        (calls.CAP_METADATA | calls.CAP_STREAMING, "data about the pictures of 'Fake camera'"),
        (calls.CAP_CAPTURE_PLANES | calls.CAP_STREAMING, "hands its pictures out in planes"),
        (calls.CAP_CAPTURE, "takes no pictures that could be streamed"),
        (0, "takes no pictures that could be streamed"),
    ],
)
def test_what_takes_no_pictures_is_refused(
    kernel: FakeKernel, capabilities: int, says: str
) -> None:
    with pytest.raises(CameraError, match=says):
        opened(kernel, camera(capabilities=capabilities))
    assert kernel.is_clean()


def test_no_device_and_no_permission(kernel: FakeKernel) -> None:
    with pytest.raises(CameraError, match=r"There is no .*video7; `emopulse doctor`"):
        VideoDevice(kernel.folder / "video7", WISH, kernel)
    kernel.forbidden.add("video0")
    with pytest.raises(CameraError, match=r"sudo usermod -aG video \$USER` and log in again"):
        opened(kernel, camera())


def test_another_size_and_rate_are_told(kernel: FakeKernel) -> None:
    fake = FakeCamera([("GREY", (64, 48), (120.0, 60.0)), ("GREY", (32, 24), (240.0,))])
    device = opened(kernel, fake, Wish(200.0, (70, 50)))
    device.close()
    assert (device.size, device.rate) == ((64, 48), 120.0)
    size, rate = device.remarks
    assert "gives pictures of 64x48, not 70x50 as asked for" in size
    assert rate.endswith(
        "takes GREY 64x48 at 120 Hz, not 200 Hz as asked for: ask for 32x24, which it takes at "
        "240 Hz."
    )


def test_the_fastest_camera_has_nothing_faster(kernel: FakeKernel) -> None:
    device = opened(kernel, camera(rate=100.0))
    device.close()
    assert device.remarks[0].endswith("not 500 Hz as asked for: it has no faster mode.")


def test_a_camera_whose_rate_cannot_be_set_says_its_own(kernel: FakeKernel) -> None:
    device = opened(kernel, camera(has_rate=False))
    device.close()
    assert device.rate == 30.0
    assert "at 30 Hz, not 500 Hz as asked for: it offers GREY 64x48 at 500 Hz" in device.remarks[0]


def test_a_camera_that_does_not_tell_its_rate(kernel: FakeKernel) -> None:
    device = opened(kernel, camera(refuses={calls.G_PARM: errno.ENOTTY}))
    device.close()
    assert device.rate == 500.0
    assert "does not say at which rate" in device.remarks[0]


def test_automatic_exposure_does_not_halve_the_rate(kernel: FakeKernel) -> None:
    knobs = {calls.EXPOSURE_AUTO: Knob(3), calls.EXPOSURE_AUTO_PRIORITY: Knob(1)}
    device = opened(kernel, camera(knobs=knobs, dark=True))
    one, *_, last = read(device, 10)
    device.close()
    assert abs((last.stamp - one.stamp) / (last.sequence - one.sequence) - 2e6) < 1e4
