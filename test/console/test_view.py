"""``emopulse view``, as a person at a shell and one at Foxglove meet it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from emopulse_ros.cli import main
from emopulse_ros.view import topics

ROOT = Path(__file__).parents[2]

serves = pytest.mark.skipif(
    find_spec("foxglove") is None or find_spec("websockets") is None,
    reason="foxglove-sdk or websockets is not installed",
)


def test_without_the_sdk_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "foxglove", None)
    monkeypatch.delitem(sys.modules, "emopulse_ros.view.server", raising=False)
    assert main(["view", "--no-ros"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told == (
        "emopulse: emopulse view needs foxglove-sdk, which is not installed: "
        "pip install foxglove-sdk"
    )


@serves
def test_a_port_that_is_taken_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    from emopulse_ros.view.server import Server

    with Server(port=0) as other:
        assert main(["view", "--no-ros", "--port", str(other.port)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert f"nothing can listen on port {other.port} of 127.0.0.1: Address already in use" in told


@serves
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--camera", "video:gone.mp4"], "There is no file 'gone.mp4'"),
        (["--camera", "ros:image_raw"], "needs ROS"),
        (["--params", "p.yaml"], "leave out --no-ros"),
        (["--port", "70000"], "nothing can listen on port 70000"),
    ],
)
@pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed")
def test_bad_input_is_told_in_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", "--no-ros", "--port", "0", *arguments]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert sentence in told


@serves
@pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("way", ["ros", "no-ros"])
def test_who_connects_sees_the_face_and_ctrl_c_ends_it(way: str) -> None:
    if way == "ros":
        pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
        pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from view.scenes import client, decoder

    command = [sys.executable, "-m", "emopulse_ros.cli", "view", "--camera", "synthetic:5"]
    command += ["--port", "0", *(["--no-ros"] if way == "no-ros" else [])]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline()
        found = re.match(r"ws://127\.0\.0\.1:(\d+) serves Foxglove: Open connection", address)
        assert found is not None, address
        assert Path(address.rpartition("layout ")[2].strip()).name == "foxglove_view.json"
        with client(int(found[1])) as foxglove:
            foxglove.subscribe(topics.IMAGE, topics.ANNOTATIONS, topics.ACTIVATION)
            pictures, drawings, activations = set[int](), {}, {}
            for topic, stamp, data in foxglove.heard(60.0):
                if topic == topics.IMAGE:
                    pictures.add(stamp)
                elif topic == topics.ANNOTATIONS:
                    drawn = decoder(foxglove.topics[topic])(data)
                    if drawn.points:
                        drawings[stamp] = drawn
                else:
                    activations[stamp] = json.loads(data)
                if len(drawings) >= 5 and len(activations) >= 40:
                    break
        assert len(drawings) >= 5
        # Picture, drawing and curves are of the very same moments.
        assert drawings.keys() - pictures <= {max(drawings)}
        assert len(drawings.keys() & activations.keys()) >= len(drawings) - 1
        corners = drawings[min(drawings)].points[0].points
        assert all(0 <= corner.x < 640 and 0 <= corner.y < 480 for corner in corners)
        assert all(message["latency_ms"] > 0.0 for message in activations.values())
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, told
    assert "Traceback" not in told
    shown = re.search(r"(\d+) pictures shown; \d+ pictures and curves not shown", said)
    assert shown is not None
    assert int(shown[1]) >= len(drawings)
