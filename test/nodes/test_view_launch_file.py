"""What the launch file of the bridge to Foxglove says; ROS's launch is not needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .launch_double import LaunchFile, given_to, with_packages, without_packages

pytest.importorskip("ament_index_python", reason="ROS 2 is not installed")


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], LaunchFile]:
    return lambda name: LaunchFile(name, monkeypatch)


def test_the_bridge_shows_our_topics_and_takes_nothing(
    launch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_packages(monkeypatch)
    file = launch("view.launch.py")
    started = file.nodes(namespace="robot.1")
    given = given_to(started["foxglove_bridge"])
    assert file.text(started["foxglove_bridge"]["parameters"][0]["address"]) == "127.0.0.1"
    (shown,) = given["topic_whitelist"]
    assert re.fullmatch(shown, "/robot.1/au_activation")
    assert not re.fullmatch(shown, "/robotx1/au_activation")
    assert not re.fullmatch(shown, "/other/robot.1/image_raw")
    for what in ("client_topic", "service", "param"):
        (none,) = given[f"{what}_whitelist"]
        assert not re.search(none, "/robot.1/au_activation")
    assert not {"clientPublish", "parameters", "services", "assets"} & set(given["capabilities"])
    assert set(file.nodes()) == {"foxglove_bridge"}
    with pytest.raises(RuntimeError, match="port is 'x'"):
        file(port="x")


def test_without_the_bridge_it_is_told(launch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without_packages(monkeypatch)
    (told,) = launch("view.launch.py")()
    assert "foxglove_bridge is not installed" in told.options["msg"]


@pytest.mark.parametrize("root", ["", "/"])
def test_of_the_root_namespace_only_what_is_ours_is_shown(
    launch: Any, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from emopulse_ros.bag.writer import TOPICS

    with_packages(monkeypatch)
    shown = given_to(launch("view.launch.py").nodes(namespace=root)["foxglove_bridge"])
    patterns = shown["topic_whitelist"]
    ours = {topic for topic, _ in TOPICS.values()}
    ours |= {"camera/camera_info", "camera/annotated", "flow"}
    assert all(any(re.search(one, f"/{topic}") for one in patterns) for topic in ours)
    for other in ("/rosout", "/camera/image_raw/compressed", "/robot/flow", "/flowers"):
        assert not any(re.search(one, other) for one in patterns)
