"""What the launch file of a bag says; ROS's launch is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .launch_double import LaunchFile, with_packages, without_packages

pytest.importorskip("ament_index_python", reason="ROS 2 is not installed")


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], LaunchFile]:
    return lambda name: LaunchFile(name, monkeypatch)


def test_a_bag_is_read_by_our_own_camera(launch: Any) -> None:
    file = launch("replay.launch.py")
    (included,) = file(bag="out/bag", topic="/left/image_raw", speed="0.5")
    assert file.text(included.words[0]).endswith("/launch/emopulse.launch.py")
    arguments = dict(included.options["launch_arguments"])
    assert arguments == {"camera": "bag:out/bag@/left/image_raw", "rate": "0.5"}
    assert file.arguments["use"]["default_value"] == "replay"
    (included,) = file(bag="out/bag")
    assert dict(included.options["launch_arguments"])["camera"] == "bag:out/bag"
    with pytest.raises(RuntimeError, match="loop needs play:=true"):
        file(bag="out/bag", loop="true")


def test_a_bag_is_played_by_ros_with_its_clock(
    launch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_packages(monkeypatch)
    file = launch("replay.launch.py")
    included, player, _ = file(bag="out/bag", play="true", loop="true", namespace="/robot/")
    topic = "/robot/camera/image_raw"
    arguments = dict(included.options["launch_arguments"])
    assert arguments == {"camera": f"ros:{topic}", "use_sim_time": "true"}
    command = player.options["cmd"]
    assert command[:4] == ["ros2", "bag", "play", "out/bag"]
    assert command[command.index("--clock") + 1] == "200"
    assert command[-2:] == ["--topics", topic]
    assert "--loop" in command


def test_without_ros2bag_it_is_told(launch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without_packages(monkeypatch)
    with pytest.raises(RuntimeError, match="play needs ros2bag, which is not installed"):
        launch("replay.launch.py")(bag="out/bag", play="true")


@pytest.mark.parametrize(
    ("namespace", "topic"),
    [("", "/camera/image_raw"), ("/", "/camera/image_raw"), ("a/b", "/a/b/camera/image_raw")],
)
def test_the_topic_is_in_the_namespace_whatever_that_is(
    launch: Any, monkeypatch: pytest.MonkeyPatch, namespace: str, topic: str
) -> None:
    with_packages(monkeypatch)
    _, player, _ = launch("replay.launch.py")(bag="out/bag", play="true", namespace=namespace)
    assert player.options["cmd"][-2:] == ["--topics", topic]
