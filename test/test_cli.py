"""The command line, as a person at a shell meets it."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from emopulse_ros.cli import main

ROOT = Path(__file__).parent.parent
FACES = Path(os.environ.get("EMOPULSE_FACES", ROOT.parent / "shared" / "faces"))

runs_faces = pytest.mark.skipif(
    find_spec("ai_edge_litert") is None,
    reason="ai-edge-litert is not installed",
)


@pytest.fixture
def no_face() -> Path:
    """A video without any face."""
    path = FACES / "no_face.mp4"
    if not path.exists():
        pytest.skip(f"there is no {path}; set EMOPULSE_FACES")
    return path


def test_help_names_every_command_and_needs_no_ros() -> None:
    code = "import sys; sys.modules['rclpy'] = sys.modules['torch'] = None\n"
    code += "from emopulse_ros.cli import main; main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for command in ("run", "view", "demo", "benchmark", "bench", "train", "doctor"):
        assert re.search(rf"^    {command}\s", done.stdout, re.MULTILINE), command


@runs_faces
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--camera", "video:gone.mp4"], "There is no file 'gone.mp4'"),
        (["--camera", "video:junk.mp4"], "is no video"),
        (["--camera", "kinect"], "There is no camera 'kinect'"),
        (["--camera", "synthetic:x"], "names no seed"),
        (["--camera", "synthetic", "--rate", "0"], "The rate is 0.0"),
        (["--camera", "synthetic", "--model", "junk.mp4"], "junk.mp4"),
        (["--camera", "synthetic", "--model", "gone.onnx"], "gone.onnx"),
        (["--camera", "synthetic", "--csv", "gone/a.csv"], "'gone/a.csv' cannot be written"),
        (["--camera", "ros:image_raw"], "needs ROS"),
        (["--params", "p.yaml"], "leave out --no-ros"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("junk.mp4").write_text("this is no video\n")
    assert main(["run", "--no-ros", *arguments]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("emopulse: ")
    assert sentence in told


@runs_faces
def test_a_run_without_ros_gives_the_same_bytes_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / name for name in ("one.csv", "two.csv")]
    for file in files:
        arguments = ["--camera", "synthetic:5", "--duration", "0.6", "--csv", str(file)]
        assert main(["run", "--no-ros", *arguments]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    rows = list(csv.DictReader(files[0].open()))
    assert 90 < len(rows) <= 120
    assert {int(row["stamp_ns"]) - int(row["sequence"]) * 5_000_000 for row in rows} == {0}
    assert 0.0 <= float(rows[-1]["AU12_p"]) <= 1.0
    told = capsys.readouterr().out
    assert "120 frames" in told
    assert f"{len(rows)} activations" in told
    assert "frame F1" in told


@runs_faces
def test_a_video_without_a_face_says_so_in_a_line(
    no_face: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--no-ros", "--camera", f"video:{no_face}", "--duration", "1"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("no activation in ")
    assert "no face in view" in last


@runs_faces
def test_ctrl_c_ends_it_with_130_and_no_traceback() -> None:
    command = [sys.executable, "-m", "emopulse_ros.cli", "run", "--no-ros"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    # The first line is the title, the second one is said once frames have come.
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told


@pytest.fixture
def ros_is_there() -> None:
    """Skip where there is no ROS, or its messages are not built."""
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")


@runs_faces
@pytest.mark.usefixtures("ros_is_there")
def test_the_demo_runs_over_ros_and_leaves_a_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    png = tmp_path / "new" / "timeline.png"
    assert main(["demo", "--seconds", "2", "--seed", "3", "--png", str(png)]) == 0
    told = capfd.readouterr().out
    assert "EmoPulse   synthetic:3 at 200 FPS" in told
    for part in ("frames dropped", "latency from capture to publish", "frame F1", "events: "):
        assert part in told
    assert told.splitlines()[-1] == f"timeline: {png}"
    assert png.read_bytes().startswith(b"\x89PNG")


@runs_faces
@pytest.mark.usefixtures("ros_is_there")
def test_a_run_over_ros_writes_latencies(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.csv"
    arguments = ["--camera", "synthetic:5", "--duration", "1", "--csv", str(file)]
    assert main(["run", *arguments]) == 0
    rows = list(csv.DictReader(file.open()))
    assert f"{len(rows)} activations" in capfd.readouterr().out
    assert min(float(row["latency_ms"]) for row in rows) > 0.0
    assert len({int(row["stamp_ns"]) - int(row["sequence"]) * 5_000_000 for row in rows}) == 1


@runs_faces
@pytest.mark.usefixtures("ros_is_there")
def test_a_size_is_width_and_height(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--size", "64"])
    assert "'64' is no size: it is width and height, as 640x480" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--camera", "video:gone.mp4"], "There is no file 'gone.mp4'"),
        (["--camera", "synthetic", "--model", "junk.yaml"], "junk.yaml"),
        (["--camera", "synthetic", "--params", "gone.yaml"], "gone.yaml"),
        (["--camera", "synthetic", "--params", "junk.yaml"], "ROS cannot work with its arguments"),
        (["--camera", "synthetic", "--params", "wrong.yaml"], "parameter rate of camera_node"),
        (["--camera", "synthetic", "--csv", "gone/a.csv"], "'gone/a.csv' cannot be written"),
        (["--camera", "ros:/image_raw", "--rate", "30"], "leave out --rate"),
        (["--camera", "ros:/image_raw", "--size", "64x48"], "--size and --exposure"),
        (["--camera", "ros:not a topic"], "names no topic"),
    ],
)
def test_bad_input_is_told_in_a_sentence_over_ros_too(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("junk.yaml").write_text("this: [is no parameter file\n")
    Path("wrong.yaml").write_text("/**/camera_node:\n  ros__parameters:\n    rate: often\n")
    assert main(["run", *arguments]) == 2
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("emopulse: ")]
    assert len(told) == 1
    assert sentence in told[0]


@runs_faces
@pytest.mark.usefixtures("ros_is_there")
def test_ctrl_c_ends_a_run_over_ros_with_130_and_a_summary() -> None:
    command = [sys.executable, "-m", "emopulse_ros.cli", "run"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert "frame" in out


def test_training_without_torch_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("emopulse_ros.training.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["train"]) == 2
    assert "training needs torch, which is not installed: pip install" in capsys.readouterr().err


def test_the_doctor_ends_with_a_verdict(capfd: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor"])
    verdict = capfd.readouterr().out.splitlines()[-1]
    assert verdict.startswith("EmoPulse can run" if status == 0 else "EmoPulse cannot run: ")


def test_a_wrong_option_is_told_with_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["bench", "beauty"], ["fly"], ["run", "--speed", "9"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "usage: emopulse" in capsys.readouterr().err
