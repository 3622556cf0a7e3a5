"""A GigE Vision or USB3 Vision camera, by Aravis."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from emopulse_ros.camera.aravis import load_aravis
from emopulse_ros.camera.clock import DeviceClock
from emopulse_ros.camera.frame_ids import FrameIds
from emopulse_ros.camera.genicam_settings import apply_settings, change_exposure
from emopulse_ros.camera.live import PERIODS, SILENCE_S, START_S, UnpluggedError, Wish
from emopulse_ros.camera.source import CameraError
from emopulse_ros.stream import Frame

WAIT_US = 200_000
"""How long a picture is waited for."""

SETTLING_NS = 100_000_000
"""For so long the pictures only tell how the clocks differ, and are not handed on."""

BUFFERED_S = 0.25
"""As much as may wait for its reader."""

RETENTION_US = 40_000
"""How long a picture waits for packets that it lacks, all later ones waiting behind it: time to ask
twice for them, and less than what the queues of the nodes bridge. Aravis waits for 100 ms."""

LEAVING_S = 1.0
"""How long a camera is waited for that is given back."""

LARGEST_SOCKET = 64 << 20
"""Bytes; more is of no use."""

SOCKET_LIMIT = Path("/proc/sys/net/core/rmem_max")


class GenicamDevice:
    """A camera as :class:`~emopulse_ros.camera.live.Device`.

    ``camera_id`` is what Aravis knows it by (``arv-tool-0.8`` lists that), or its address; empty
    for the first one that is found. ``Fake_1`` is Aravis' own simulated one.

    Aravis receives in a thread of its own, which runs no Python; a reader that waits holds up
    nobody. A picture is copied once, out of a buffer that is given back at once.

    :raises CameraError: a sentence on why it cannot be opened.
    """

    def __init__(self, camera_id: str, wish: Wish) -> None:
        self._name = f"genicam:{camera_id}"
        self._libraries = load_aravis()
        self.lost = 0
        self.remarks: list[str] = []
        self._clock, self._ids = DeviceClock(), FrameIds()
        self._first: int | None = None
        self._last = 0
        self._is_settled = False
        self._damaged = 0
        self._is_gone = False
        self._stream: Any = None
        self._gige: Any = None
        self._held: list[Any] = []
        self._heard_at = time.monotonic()
        try:
            self._open(camera_id, wish)
        except self._libraries.glib.Error as error:
            self.close()
            raise CameraError(f"{self._name} cannot be opened: {error.message}.") from error
        except BaseException:
            self.close()
            raise

    def _open(self, camera_id: str, wish: Wish) -> None:
        aravis = self._libraries.aravis
        fake = camera_id.startswith("Fake")
        if fake:
            aravis.enable_interface("Fake")
        try:
            camera = aravis.Camera.new(camera_id or None)
        finally:
            if fake:
                # So that it is never the first one that is found.
                aravis.disable_interface("Fake")
        self._held.append(camera)
        if camera.is_gv_device():
            self._gige = camera.get_device()
            if not self._gige.is_controller():
                self._is_gone = True
                raise CameraError(f"{self._name} is in use by another program.")
        self.remarks += apply_settings(self._libraries, camera, self._name, wish)
        _, _, width, height = camera.get_region()
        self.size = (width, height)
        says = camera.get_frame_rate() if camera.is_frame_rate_available() else None
        self.rate = says or wish.rate or 200.0
        self._silence = self._longest_silence(camera)
        payload = camera.get_payload()
        self._stream = self._make_stream(camera, payload)
        self._held.append(self._stream)
        for _ in range(max(16, round(BUFFERED_S * self.rate))):
            self._stream.push_buffer(aravis.Buffer.new_allocate(payload))
        camera.start_acquisition()
        self._heard_at = time.monotonic() + START_S - self._silence

    def _make_stream(self, camera: Any, payload: int) -> Any:
        if self._gige is None:
            return camera.create_stream(None, None)
        aravis = self._libraries.aravis
        # The largest packets that camera and network carry, tried out.
        camera.gv_set_packet_size_adjustment(aravis.GvPacketSizeAdjustment.ONCE)
        room = min(int(SOCKET_LIMIT.read_text()), LARGEST_SOCKET) if SOCKET_LIMIT.exists() else 0
        if room >= 2 * payload:
            # The other way to receive, for which one has to be root, is 5 ms late.
            camera.gv_set_stream_options(aravis.GvStreamOption.PACKET_SOCKET_DISABLED)
        else:
            self.remarks.append(
                f"The system lets a socket hold {room} bytes, less than two pictures of "
                f"{self._name}: pictures may be lost or, as root, come 5 ms late. "
                f"sudo sysctl -w net.core.rmem_max={max(8 * payload, 4 << 20)}"
            )
        stream = camera.create_stream(None, None)
        stream.set_property("frame-retention", RETENTION_US)
        if room:
            stream.set_property("socket-buffer-size", room)
        return stream

    def read(self) -> Frame | None:
        """The next picture; None if there is none within a fifth of a second.

        :raises UnpluggedError: if the camera has gone away.
        """
        until = time.monotonic() + WAIT_US / 1e6
        while True:
            left = max(round((until - time.monotonic()) * 1e6), 0)
            buffer = self._stream.timeout_pop_buffer(left)
            if buffer is None:
                self._check_presence()
                return None
            frame = self._frame(buffer)
            self._stream.push_buffer(buffer)
            if frame is not None:
                return frame
            if not left:
                return None

    def expose(self, exposure: float) -> None:
        """Expose for so many µs from now on; ``remarks`` say what came of it otherwise."""
        camera, wish = self._held[0], Wish(exposure=exposure)
        self.remarks += change_exposure(self._libraries, camera, self._name, wish)
        self._silence = self._longest_silence(camera)

    def _longest_silence(self, camera: Any) -> float:
        """The time in s after which a camera that sends nothing has gone away."""
        period = 1.0 / self.rate
        with suppress(self._libraries.glib.Error):
            if camera.is_exposure_time_available():
                period = max(period, camera.get_exposure_time() / 1e6)
        return max(SILENCE_S, PERIODS * period)

    def _frame(self, buffer: Any) -> Frame | None:
        """What a buffer holds; None while the clocks settle, or if it is damaged."""
        self._heard_at = time.monotonic()
        width, height = self.size
        is_whole = buffer.get_status() == self._libraries.aravis.BufferStatus.SUCCESS
        data = buffer.get_data() if is_whole else b""
        if len(data) < width * height:
            self._count_damaged()
            return None
        device, arrival = buffer.get_timestamp(), buffer.get_system_timestamp()
        if device == 0:
            device = arrival
            if self._first is None:
                self.remarks.append(
                    f"{self._name} does not say when it takes pictures: they are stamped as they "
                    "come."
                )
        self._clock.hear(device, arrival)
        count = self._ids(buffer.get_frame_id())
        gap, self._last = count - self._last - 1, count
        damaged, self._damaged = self._damaged, 0
        if self._first is None:
            self._first = device
        if not self._is_settled:
            self._is_settled = device - self._first >= SETTLING_NS or device < self._first
            return None
        # What came damaged leaves a gap too, and has been counted.
        self.lost += max(gap - damaged, 0)
        image = np.frombuffer(data, np.uint8, width * height).reshape(height, width)
        return Frame(self._clock.stamp(device), count, image)

    def _count_damaged(self) -> None:
        self._damaged += 1
        self.lost += self._is_settled
        if self._damaged == round(2.0 * self.rate):
            self.remarks.append(
                f"Every picture of {self._name} comes damaged, for 2 s now: its packets are larger "
                "than the network carries, or they come faster than they are received."
            )

    def _check_presence(self) -> None:
        if self._gige is not None and not self._gige.is_controller():
            self._is_gone = True
            raise UnpluggedError(f"{self._name} does not answer, or obeys another program.")
        if time.monotonic() - self._heard_at > self._silence:
            self._is_gone = True
            raise UnpluggedError(f"{self._name} sends no pictures any more.")

    def close(self) -> None:
        """Give the camera back; safe to call twice."""
        held, self._held = self._held, []
        self._stream = self._gige = None
        if held:
            leave = threading.Thread(
                target=_leave, args=(held, self._is_gone), name="leave camera", daemon=True
            )
            leave.start()
            leave.join(0.0 if self._is_gone else LEAVING_S)


def _leave(held: list[Any], is_gone: bool) -> None:
    """Stop a camera, if it has a stream, and drop both: its thread ends, its control is released.

    Of one that has gone away Aravis takes leave for ten seconds, for which nobody need wait.
    """
    camera, *streams = held
    held.clear()
    # Whatever it answers, it is not ours any more.
    with suppress(Exception):
        if streams and not is_gone:
            camera.stop_acquisition()
    # The stream first: it needs the camera.
    streams.clear()
    with suppress(Exception):
        if not is_gone and camera.is_gv_device():
            # Not only by dropping the camera: an error that is still told of may hold it.
            camera.get_device().leave_control()
