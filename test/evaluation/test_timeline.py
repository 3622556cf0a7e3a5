"""The timeline is drawn, or says why not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.timeline import draw_timeline
from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation
from emopulse_ros.synthesis.habits import write_script
from emopulse_ros.synthesis.script import Script

MS = 1_000_000


def play(script: Script, latency_ms: float) -> Recording:
    """What a detector that sees the script would say."""
    finder, recorder = EventFinder(), Recorder()
    for sequence, time in enumerate(range(0, script.duration, 5 * MS)):
        seen = np.float32(0.02 + 0.96 * script.active(time))
        activation = Activation(
            time, sequence, 1, CODES, seen, script.intensity(time), 1.0, "test", ""
        )
        recorder.add(activation, latency_ms)
        recorder.add_event(finder(activation))
    return recorder.recording()


def coloured(path: Path, red: int, green: int, blue: int) -> int:
    """How many pixels of a PNG have this colour."""
    import cv2

    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape[1] == 1800
    return int((image == (blue, green, red)).all(axis=2).sum())


@pytest.mark.parametrize("known", [True, False])
def test_the_truth_is_drawn_where_there_is_one(tmp_path: Path, known: bool) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    script = write_script(0, 4_000 * MS)
    latency_ms = 2.0 if known else float("nan")
    path = tmp_path / "timeline.png"
    draw_timeline(
        path,
        play(script, latency_ms),
        truth=truth_of(script) if known else None,
        title="four seconds",
    )
    assert (coloured(path, 0xFF, 0xC1, 0x5E) > 500) is known
    assert coloured(path, 0x1F, 0x5F, 0xA8) > 500


def test_nothing_to_draw_is_told(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    with pytest.raises(ValueError, match="no activation"):
        draw_timeline(tmp_path / "timeline.png", Recorder().recording())


def test_a_missing_matplotlib_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RuntimeError, match="pip install matplotlib"):
        draw_timeline(tmp_path / "timeline.png", Recorder().recording())
