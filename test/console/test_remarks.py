"""What a device does otherwise than asked is told by every command that reads it."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.camera import CameraError, Live, Wish, open_camera
from emopulse_ros.camera.live import UnpluggedError
from emopulse_ros.cli import main
from emopulse_ros.console import remarks as remarks_module
from emopulse_ros.console.remarks import Remarks
from emopulse_ros.stream import Frame

BEGIN = 1_700_000_000_000_000_000
SAYS = "It takes 64x48, not 640x480."


class Webcam:
    """A device that does otherwise than asked, and is unplugged after some pictures."""

    rate, size, lost = 200.0, (64, 48), 0

    def __init__(self, count: int = 3) -> None:
        self.remarks = [SAYS]
        self._count = count
        self._index = 0

    def read(self) -> Frame | None:
        self._index += 1
        if self._index > self._count:
            raise UnpluggedError("It is gone.")
        stamp = BEGIN + self._index * 5_000_000
        return Frame(stamp, self._index, np.zeros((48, 64), np.uint8))

    def close(self) -> None: ...


def test_it_is_told_while_no_picture_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks_module, "LOOK_S", 0.01)
    devices = iter([Webcam()])

    def plugged(_: Wish) -> Webcam:
        for device in devices:
            return device
        raise CameraError("There is none.")

    told: list[str] = []
    gone = threading.Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        if "gone" in sentence:
            gone.set()

    with Live("webcam", plugged, Wish(rate=200.0)) as camera, Remarks(camera, tell):
        reader = threading.Thread(target=lambda: list(camera), daemon=True)
        reader.start()
        assert gone.wait(10.0)
        camera.rest()
        reader.join(10.0)
    assert told == [SAYS, "It is gone. It is looked for again."]


def test_what_is_left_to_be_told_is_told_at_the_end() -> None:
    told: list[str] = []
    with Live("webcam", lambda _: Webcam(), Wish()) as camera:
        with Remarks(camera, told.append):
            pass
        assert told == [SAYS]
    # Others have nothing to say, and are not asked.
    with open_camera("synthetic:3") as synthetic, Remarks(synthetic, told.append):
        assert "remarks" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize(
    ("command", "needs"),
    [
        (["run", "--no-ros"], "onnxruntime"),
        (["record", "BAG"], "rosbags"),
        (["view", "--no-ros", "--port", "0"], "foxglove"),
    ],
)
def test_every_command_tells_it(
    command: list[str], needs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pytest.importorskip(needs, reason=f"{needs} is not installed")
    module = f"emopulse_ros.console.{command[0]}.opened"
    monkeypatch.setattr(
        module, lambda _: Live("webcam", lambda _: Webcam(1000), Wish(), duration=0.1)
    )
    given = [str(tmp_path / "bag") if word == "BAG" else word for word in command]
    assert main(given) == 0
    out, err = capsys.readouterr()
    assert (out + err).count(SAYS) == 1
