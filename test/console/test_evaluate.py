"""``emopulse record`` and ``emopulse evaluate``, as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rosbags", reason="rosbags is not installed: requirements/evaluation.txt")

from emopulse_ros.cli import main


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the synthetic camera."""
    path = tmp_path_factory.mktemp("bags") / "face"
    said = ["record", str(path), "--camera", "synthetic:7", "--duration", "3"]
    assert main([*said, "--as-fast-as-possible"]) == 0
    return path


def test_a_recording_scores_as_the_run_that_was_recorded(bag: Path, tmp_path: Path) -> None:
    anew, before, live = (tmp_path / name for name in ("anew", "before", "live"))
    assert main(["evaluate", str(bag), "--out", str(anew)]) == 0
    assert main(["evaluate", str(bag), "--recorded", "--out", str(before)]) == 0
    assert main(["evaluate", "synthetic:7", "--duration", "3", "--out", str(live)]) == 0
    reports = [json.loads((one / "report.json").read_text()) for one in (anew, before, live)]
    scores = [one["recordings"][0]["scores"] for one in reports]
    assert scores[0]["frames"] > 500
    assert scores[0] == scores[1] == scores[2]


def test_two_evaluations_give_the_same_bytes(bag: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert main(["evaluate", str(bag), "--out", str(tmp_path / name)]) == 0
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one.keys() >= {"report.html", "report.json", "activations.csv", "events.csv"}
    assert one == two


def test_results_are_a_bag_that_can_be_evaluated_itself(bag: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    call = ["evaluate", str(bag), "--out", str(tmp_path / "out"), "--bag", str(results)]
    assert main(call) == 0
    assert main(call) == 2, "a bag must not be written over"
    from emopulse_ros.bag.file import BagFile

    with BagFile(results) as written, BagFile(bag) as before:
        names = {topic.name: topic.messages for topic in written.topics}
        there = {topic.name: topic.messages for topic in before.topics}
        assert names == {k: n for k, n in there.items() if k != "/emopulse/camera/image_raw"}


def test_labels_of_ones_own_take_the_place_of_those_in_the_bag(bag: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("# coded: 12\nonset_s,offset_s,aus\n0.5,0.7,12\n")
    out = tmp_path / "out"
    assert main(["evaluate", str(bag), "--truth", str(labels), "--out", str(out)]) == 0
    assert main(["evaluate", str(bag), "--truth", "/emopulse/truth", "--out", str(out)]) == 0
    assert main(["evaluate", str(bag), "--truth", "/emopulse/lies", "--out", str(out)]) == 2


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (["/nowhere"], "there is nothing at /nowhere"),
        (["synthetic:7", "--duration", "1", "--recorded"], "only a bag holds what was said before"),
        (["synthetic:7", "--topic", "/eye"], "is no bag, so it has no topics"),
        (["BAG", "--rate", "30"], "leave out --rate"),
        (["BAG", "--truth", "none.csv"], "no file with labels at none.csv"),
        (["BAG", "--topic", "/eye"], "no images on /eye"),
    ],
)
def test_what_cannot_be_evaluated_is_told(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], call: list[str], sentence: str
) -> None:
    given = [str(bag) if part == "BAG" else part for part in call]
    assert main(["evaluate", *given, "--out", str(tmp_path / "out")]) == 2
    assert sentence in capsys.readouterr().err


def test_of_a_cut_off_bag_what_can_be_read_is_evaluated(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(bag.glob("*.mcap"))
    (tmp_path / "cut.mcap").write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    assert main(["evaluate", str(tmp_path / "cut.mcap"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert "is cut off or damaged" in said.err
    assert "frame F1" in said.out


def test_a_recording_that_is_interrupted_is_whole(tmp_path: Path) -> None:
    import signal
    import time

    path = tmp_path / "bag"
    # It ends by itself, should this test be killed: a bag grows by 60 MB a second.
    command = [sys.executable, "-m", "emopulse_ros.cli", "record", str(path), "--duration", "30"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            end = time.monotonic() + 60.0
            while not list(path.glob("*.mcap")) or next(path.glob("*.mcap")).stat().st_size < 20e6:
                assert time.monotonic() < end
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=30.0)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "images" in said
    from emopulse_ros.camera import BagCamera

    with BagCamera(path) as camera:
        assert len(list(camera)) > 20
        assert camera.shortfall is None


def test_a_recording_begins_with_a_free_name(bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", str(bag)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["record", "/tmp/never", "--camera", "ros:/eye"]) == 2
    assert "ros2 bag record" in capsys.readouterr().err


def test_a_bag_played_into_the_nodes_gives_what_is_read_from_it(bag: Path, tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    live, read = tmp_path / "live.csv", tmp_path / "read.csv"
    call = ["run", "--camera", f"bag:{bag}", "--duration", "1"]
    # Slowly, so that no frame is lost and no look for the face comes late on a busy machine.
    assert main([*call, "--rate", "0.2", "--csv", str(live)]) == 0
    assert main([*call, "--no-ros", "--csv", str(read)]) == 0
    rows = [[line.split(",") for line in one.read_text().splitlines()[1:]] for one in (live, read)]
    assert len(rows[1]) > 150
    # All but the stamps, which are of today when it is played, and the latency.
    assert [row[1:-1] for row in rows[0]] == [row[1:-1] for row in rows[1]]
    stamps = [int(row[0]) for row in rows[0]]
    assert {late - early for early, late in pairwise(stamps)} == {5_000_000}


def test_a_data_set_is_evaluated_clip_by_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import cv2
    from evaluation.trees import casme2_table

    from emopulse_ros.camera import open_camera

    root = tmp_path / "CASME2"
    for number, name in ((7, "EP01_01"), (8, "EP02_01f")):
        folder = root / "CASME2_RAW_selected" / "sub01" / name
        folder.mkdir(parents=True)
        with open_camera(f"synthetic:{number}", duration=0.5) as camera:
            for frame in camera:
                assert cv2.imwrite(str(folder / f"img{frame.sequence + 1}.jpg"), frame.image)
    casme2_table(root, (1, "EP01_01", 20, 40, 80, "4+7"), (1, "EP02_01f", 10, "/", 90, "R12"))
    out = tmp_path / "out"
    assert main(["evaluate", f"casme2:{root}", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "CASME II: 2 clips of 1 person" in said
    assert "2 recordings" in said
    assert "clip by clip, CD6ME's 12 units, pooled over 1 people" in said
    assert (out / "activations-002.csv").exists()
    report = json.loads((out / "report.json").read_text())
    assert [one["name"] for one in report["recordings"]] == [
        "CASME II sub01/EP01_01", "CASME II sub01/EP02_01f",
    ]  # fmt: skip
    assert main(["evaluate", f"casme2:{root}", "--rate", "30", "--out", str(out)]) == 2
    assert main(["evaluate", f"casme2:{tmp_path / 'none'}", "--out", str(out)]) == 2


def test_a_stream_too_slow_to_be_read_is_told(tmp_path: Path, capsys: Any) -> None:
    slow = ["--rate", "10", "--duration", "2"]
    assert main(["run", "--no-ros", "--camera", "synthetic:7", *slow]) == 0
    assert "only 10.0 pictures a second can be worked with" in "".join(capsys.readouterr())
    assert main(["evaluate", "synthetic:7", *slow, "--out", str(tmp_path)]) == 0
    assert "nothing can be read from fewer than 17 pictures a second" in capsys.readouterr().out
