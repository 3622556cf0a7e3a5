"""What the launch files say, against the tables of parameters; ROS's launch is not needed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .launch_double import LaunchFile, told

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

ROOT = Path(__file__).parents[2]
NODES = ("camera_node", "flow_node", "au_node")
PARAMETERS = {
    "camera": "video:7",
    "rate": "120",
    "width": "640",
    "height": "400",
    "exposure": "3e3",
    "camera_info_url": "camera.yaml",
    "frame_id": "7",
    "model": "int8",
    "engine": "onnx",
    "faces": "2",
    "humans": "off",
    "autostart": "false",
    "use_sim_time": "True",
}
FILES = ("emopulse.launch.py", "replay.launch.py", "view.launch.py")


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], LaunchFile]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return lambda name: LaunchFile(name, monkeypatch)


@pytest.mark.parametrize("name", FILES)
def test_every_argument_is_described_and_has_a_default(launch: Any, name: str) -> None:
    arguments = launch(name).arguments
    assert all(len(said["description"]) > 10 for said in arguments.values())
    required = [name for name, said in arguments.items() if "default_value" not in said]
    assert required == (["bag"] if name == "replay.launch.py" else [])
    for said in arguments.values():
        assert said["default_value"] in said["choices"] if "choices" in said else True


@pytest.mark.parametrize("name", FILES)
def test_the_documents_name_every_argument(launch: Any, name: str) -> None:
    text = (ROOT / "docs" / "launch.md").read_text().partition(f"## {name}\n")[2]
    section = text.partition("\n## ")[0]
    for argument, said in launch(name).arguments.items():
        default = said.get("default_value")
        shown = "" if default is None else f"`{default}`" if default else "empty"
        assert f"| `{argument}` | {shown} | " in section


def test_every_parameter_is_one_of_the_nodes_it_goes_to(launch: Any) -> None:
    from emopulse_ros.nodes.tables import TABLES

    file = launch("emopulse.launch.py")
    assert set(file.names["PARAMETERS"]) == set(PARAMETERS)
    for name, (_, nodes, _) in file.names["PARAMETERS"].items():
        with_it = tuple(node for node in TABLES if name in {one.name for one in TABLES[node]})
        if name == "use_sim_time":
            assert nodes == tuple(TABLES)
        elif name == "rate":
            # That of the view is another.
            assert nodes == ("camera_node",)
        else:
            assert nodes == with_it


@pytest.mark.parametrize("split", ["true", "false"])
def test_each_node_is_given_its_own_in_the_type_that_its_table_says(
    launch: Any, split: str
) -> None:
    from emopulse_ros.nodes.tables import TABLES

    started = launch("emopulse.launch.py").nodes(split=split, **PARAMETERS)
    assert tuple(started) == (NODES if split == "true" else ("emopulse_container",))
    for process in started.values():
        # A name would be that of all nodes of a process.
        assert ("name" in process) is (split == "true")
        assert set(told(process)) == set(TABLES)
        for name, given in told(process).items():
            assert given.pop("use_sim_time") is True
            table = {parameter.name: parameter for parameter in TABLES[name]}
            for parameter, value in given.items():
                assert type(value) is type(table[parameter].default)
                low, high = table[parameter].bounds or (0, 0)
                assert table[parameter].bounds is None or low <= value <= high
            if name == "view_node":
                assert given == {"model": "int8", "autostart": False}
            else:
                assert set(given) == set(PARAMETERS) & set(table)
        assert told(process)["camera_node"]["exposure"] == 3000.0
        assert told(process)["au_node"]["humans"] == "off"


@pytest.mark.parametrize("split", ["true", "false"])
def test_the_nodes_read_what_they_are_given(launch: Any, ros: Any, split: str) -> None:
    from emopulse_ros.nodes.au_node import AuNode
    from emopulse_ros.nodes.flow_node import FlowNode

    given = {"humans": "off", "engine": "onnx", "faces": "2"}
    started = launch("emopulse.launch.py").nodes(split=split, **given)
    for node_class in (FlowNode, AuNode):
        process = started[node_class.own_name if split == "true" else "emopulse_container"]
        file = process["parameters"][-1].words[0]
        context = ros.process("--ros-args", "--params-file", file).context
        node = node_class(context=context)
        defaults = {parameter.name: parameter.default for parameter in node_class.table}
        own = {"faces": 2} if node_class is FlowNode else {**given, "faces": 2}
        assert node.settings == {**defaults, **own}
        node.destroy_node()


@pytest.mark.parametrize("split", ["true", "false"])
def test_what_is_left_empty_is_left_to_the_files(launch: Any, split: str) -> None:
    for node in launch("emopulse.launch.py").nodes(split=split).values():
        assert node["parameters"] == []


@pytest.mark.parametrize("split", ["true", "false"])
def test_a_file_of_ones_own_comes_after_that_of_the_use_and_before_arguments(
    launch: Any, split: str, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.touch()
    file = launch("emopulse.launch.py")
    started = file.nodes(use="uvc", params_file=str(own), rate="90", split=split)
    for node in started.values():
        use, mine, _ = (one.words[0] for one in node["parameters"])
        assert file.text(use) == "<emopulse_ros>/config/uvc.yaml"
        assert file.text(mine) == str(own)
        assert told(node) == {"camera_node": {"rate": 90.0}}


def test_what_is_on_its_way_comes_through_before_the_others_end(launch: Any) -> None:
    def done(name: str, status: int, **given: str) -> list[str]:
        """What is done when a process has ended with a status."""
        file = launch("emopulse.launch.py")
        (over,) = (
            action.words[0].options["on_exit"]
            for action in file(**given)
            if action.kind == "RegisterEventHandler"
            and action.words[0].options["target_action"].options["executable"] == name
        )
        actions = over(SimpleNamespace(returncode=status), file.context)
        return [action.kind for action in actions]

    at_once, later = ["LogInfo", "Shutdown"], ["LogInfo", "TimerAction"]
    assert done("emopulse_container", 0) == at_once
    assert done("camera_node", 0, split="true") == later
    assert done("camera_node", 2, split="true") == at_once
    assert done("flow_node", 0, split="true") == at_once
    assert done("camera_node", 0, split="true", respawn="true") == ["LogInfo"]


def test_every_use_has_its_file(launch: Any) -> None:
    uses = set(launch("emopulse.launch.py").arguments["use"]["choices"]) - {""}
    config = {file.stem for file in (ROOT / "config").glob("*.yaml")}
    assert config - {"emopulse"} == uses  # The table of all defaults.


def test_images_of_another_driver_go_to_flow_node_and_no_camera_is_opened(launch: Any) -> None:
    file = launch("emopulse.launch.py")
    one = file.nodes(camera="ros:/their/image", frame_id="x")["emopulse_container"]
    assert one["arguments"] == ["--camera", "ros:/their/image"]
    assert told(one) == {"camera_node": {"frame_id": "x"}}
    split = file.nodes(camera="ros:/their/image", split="true", annotated="true")
    assert set(split) == {"flow_node", "au_node", "view_node"}
    for name in ("flow_node", "view_node"):
        assert split[name]["remappings"] == [("camera/image_raw", "/their/image")]
    assert split["au_node"]["remappings"] == []
    assert set(file.nodes(split="true")) == set(NODES)


def test_the_view_is_told_what_the_other_processes_are(launch: Any) -> None:
    given = {"model": "int8", "use_sim_time": "true", "split": "true", "annotated": "true"}
    view = launch("emopulse.launch.py").nodes(**given)["view_node"]
    assert told(view)["view_node"] == {"model": "int8", "use_sim_time": True}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rate": "fast"}, "rate is 'fast'; it must be a number"),
        ({"width": "640.5"}, "width is '640.5'; it must be a whole number"),
        ({"autostart": "maybe"}, "autostart is 'maybe'; it must be true or false"),
        ({"split": "3"}, "split is '3'; it must be true or false"),
        ({"annotated": "x", "split": "true"}, "annotated is 'x'; it must be true or false"),
        ({"respawn": ""}, "respawn is ''; it must be true or false"),
        ({"camera": "ros:"}, "names no topic"),
        ({"params_file": "/nowhere.yaml"}, "there is no such file"),
    ],
)
def test_an_argument_that_makes_no_sense_is_told(launch: Any, given: Any, sentence: str) -> None:
    with pytest.raises(RuntimeError, match=sentence):
        launch("emopulse.launch.py")(**given)
