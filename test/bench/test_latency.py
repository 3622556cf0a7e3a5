from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

FACES = Path(os.environ.get("EMOPULSE_FACES", Path(__file__).parents[3] / "shared" / "faces"))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Any:
    from emopulse_ros.bench import latency

    monkeypatch.setattr(latency, "WARM_UP_S", 0.2)
    return latency


def test_the_report_says_what_happened(short: Any, tmp_path: Path, capsys: Any) -> None:
    from emopulse_ros.bench import command

    file = tmp_path / "latency.json"
    asked = ["latency", "--seconds", "2", "--camera", "synthetic", "--json", str(file)]
    assert command.main(asked) == 0
    report = json.loads(file.read_text())
    ended = report["without_face"] + report["activations"]
    # Frames are on their way when the counting begins and when it ends: on a machine that is busy
    # with other things both queues, of ten each, may be full.
    assert report["frames"] - report["dropped"] == pytest.approx(ended, abs=25)
    assert report["frames"] > 0
    latency = report["latency_ms"]
    assert 0.0 < latency["median"] <= latency["p99"] <= latency["p999"] <= latency["max"]
    stages = report["stages_ms"]
    assert list(stages) == [
        "camera",
        "hop_camera_to_flow",
        "face",
        "flow",
        "hop_flow_to_au",
        "detection",
        "publish",
    ]
    assert all(figures["median"] > 0.0 for figures in stages.values())
    assert report["cpu_cores"] > 0.0
    assert report["renderer_cpu_cores"] > 0.0
    arrival = report["arrival"]
    assert arrival["messages"] > 0
    assert arrival["stamps_rise"]
    assert arrival["stamp_step_ms"]["least"] == pytest.approx(5.0, abs=1.0)
    assert arrival["latency_ms"]["max"] > latency["median"]
    table = capsys.readouterr().out
    assert f"{latency['median']:.2f}" in table
    assert table == short.as_table(report) + "\n"
    assert "executor" not in [thread.name for thread in threading.enumerate()]


def test_a_camera_without_a_face_cannot_be_measured(
    short: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = FACES / "no_face.mp4"
    if not video.is_file():
        pytest.skip(f"{video} is not here")
    monkeypatch.setattr(short, "START_S", 1.0)
    with pytest.raises(RuntimeError, match=r"no activation came, .*: no face in view"):
        short.run_latency(1.0, camera=f"video:{video}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seconds", "0"], "the duration is 0.0 s; it must be from 0.1 to 86400"),
        (["--json", "/nowhere/report.json"], "there is no folder for the report"),
        (["--camera", "telescope"], "There is no camera 'telescope'"),
        (["--model", "/nowhere.onnx"], "there is no model at /nowhere.onnx"),
    ],
)
def test_what_cannot_be_worked_with_is_told(arguments: list[str], sentence: str) -> None:
    from emopulse_ros.bench import command
    from emopulse_ros.console.bad_input import BadInputError

    with pytest.raises(BadInputError, match=sentence):
        command.main(["latency", *arguments])
