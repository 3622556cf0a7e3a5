"""The launch files, run for real where ROS's launch is installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("launch_ros", reason="ROS's launch_ros is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

ROOT = Path(__file__).parents[2]
MODULES = {
    "camera_node": "camera_node",
    "flow_node": "flow_node",
    "au_node": "au_node",
    "view_node": "view_node",
    "emopulse_container": "container",
}
ALL = 4
"""Nodes in one process: view_node as well."""

RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
given = [argument.split(":=", 1) for argument in sys.argv[2:]]
service = LaunchService(argv=sys.argv[2:])
described = IncludeLaunchDescription(sys.argv[1], launch_arguments=given)
service.include_launch_description(LaunchDescription([described]))
sys.exit(service.run())
"""


class Launched:
    """A launch file that runs, and what it says."""

    def __init__(self, environment: dict[str, str], name: str, arguments: list[str]) -> None:
        self.text = ""
        self.temporary = Path(environment["TMPDIR"])
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(ROOT / "launch" / name), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def count(self, pattern: str) -> int:
        """How often it has said something."""
        return len(re.findall(pattern, self.text))

    @property
    def started(self) -> dict[str, list[int]]:
        """Process numbers of what it has started, by name and in order."""
        started: dict[str, list[int]] = {}
        for name, pid in re.findall(
            r"\[(\w+)-\d+\]: process started with pid \[(\d+)\]", self.text
        ):
            started.setdefault(name, []).append(int(pid))
        return started

    def ends(self, seconds: float = 30.0) -> int:
        """Wait for its end; nothing that it started is left then. Return the exit status."""
        status = self.process.wait(seconds)
        self._reader.join(10.0)
        left = [pid for pids in self.started.values() for pid in pids if _lives(pid)]
        assert left == [], self.text
        assert list(self.temporary.iterdir()) == []
        return status

    def interrupt(self) -> None:
        """Ctrl-C in a terminal: everything in it is told, and has to end in good order."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.ends() == 0, self.text
        assert self.count("process has finished cleanly") == len(self.started), self.text
        assert "Traceback" not in self.text, self.text

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(10.0)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Run one of our launch files on the package as it lies here, wherever one is installed."""
    prefix = tmp_path / "prefix"
    index = prefix / "share/ament_index/resource_index/packages/emopulse_ros"
    share, programs = prefix / "share/emopulse_ros", prefix / "lib/emopulse_ros"
    for folder in (index.parent, share, programs):
        folder.mkdir(parents=True)
    index.touch()
    for name in ("launch", "config", "package.xml"):
        (share / name).symlink_to(ROOT / name)
    for name, module in MODULES.items():
        command = f'exec "{sys.executable}" -m emopulse_ros.nodes.{module} "$@"'
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    environment = dict(os.environ)
    for variable, folder in (("AMENT_PREFIX_PATH", prefix), ("PYTHONPATH", ROOT)):
        environment[variable] = os.pathsep.join(
            filter(None, (str(folder), os.environ.get(variable)))
        )
    environment["TMPDIR"] = str(tmp_path / "temporary")
    Path(environment["TMPDIR"]).mkdir()
    environment["ROS_LOG_DIR"] = str(tmp_path / "log")
    running: list[Launched] = []

    def begin(name: str, *arguments: str) -> Launched:
        running.append(Launched(environment, name, list(arguments)))
        return running[-1]

    yield begin
    for one in running:
        one.kill()


def parameters(ros: Any, ask: Any, node: str, *names: str) -> list[Any]:
    """The values of a node's parameters, asked for from outside."""
    from rcl_interfaces.srv import GetParameters
    from rclpy.parameter import parameter_value_to_python

    asking = ros.process().node("asking")
    client = asking.create_client(GetParameters, f"{node}/get_parameters")
    answer = ask(client, GetParameters.Request(names=list(names)))
    return [parameter_value_to_python(value) for value in answer.values]


@pytest.mark.parametrize("split", ["false", "true"])
def test_one_process_or_three_in_a_namespace(
    launch: Launch, ros: Any, soon: Any, split: str
) -> None:
    from emopulse_msgs.msg import AUActivation

    heard: list[Any] = []
    listener = ros.process().node("listener")
    listener.create_subscription(AUActivation, "/robot/au_activation", heard.append, 200)
    launched = launch("emopulse.launch.py", f"split:={split}", "namespace:=robot", "rate:=50")
    assert soon(lambda: len(heard) >= 20, 60.0), launched.text
    expected = 3 if split == "true" else ALL
    assert soon(lambda: launched.count(r"\[robot\.\w+_node\]: active") == expected)
    names = ["camera_node", "flow_node", "au_node"] if split == "true" else ["emopulse_container"]
    assert sorted(launched.started) == sorted(names)
    launched.interrupt()


def test_the_last_word_counts(
    launch: Launch, ros: Any, ask: Any, soon: Any, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "/**/camera_node:\n  ros__parameters:\n"
        '    camera: "synthetic:3"\n    frame_id: "own"\n    rate: 50.0\n'
    )
    launched = launch(
        "emopulse.launch.py", "use:=replay", f"params_file:={own}", "frame_id:=7", "rate:=40"
    )
    assert soon(lambda: launched.count("active") == ALL, 60.0), launched.text
    asked = ("patience", "camera", "frame_id", "rate", "width")
    told = parameters(ros, ask, "/emopulse/camera_node", *asked)
    assert told == [1_000_000, "synthetic:3", "7", 40.0, 0]
    assert parameters(ros, ask, "/emopulse/view_node", "rate") == [30.0]
    launched.interrupt()


@pytest.mark.parametrize("split", ["false", "true"])
def test_images_of_another_driver(launch: Launch, ros: Any, soon: Any, split: str) -> None:
    from sensor_msgs.msg import Image

    driver = ros.process().node("driver")
    publisher = driver.create_publisher(Image, "/their/image", 10)
    driver.create_subscription(Image, "/we/camera/annotated", lambda _: None, 10)
    arguments = ("use:=driver", "camera:=ros:/their/image", f"split:={split}", "namespace:=we")
    launched = launch("emopulse.launch.py", *arguments, "annotated:=true")
    assert soon(lambda: launched.count("active") == ALL - 1, 60.0), launched.text
    # Those of flow_node and, now that somebody looks, of view_node.
    assert soon(lambda: publisher.get_subscription_count() == 2), launched.text
    assert "camera_node" not in launched.text
    assert soon(lambda: ("flow_node", "/we") in driver.get_node_names_and_namespaces())
    assert ("camera_node", "/we") not in driver.get_node_names_and_namespaces()
    launched.interrupt()


def test_nodes_that_are_not_to_start_themselves_wait_for_whoever_does(
    launch: Launch, ros: Any, ask: Any, change: Any, soon: Any
) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import GetState

    from emopulse_msgs.msg import AUActivation

    heard: list[Any] = []
    manager = ros.process().node("manager")
    manager.create_subscription(AUActivation, "/emopulse/au_activation", heard.append, 200)
    launched = launch("emopulse.launch.py", "autostart:=false", "rate:=50")
    nodes = [f"/emopulse/{name}" for name in ("au_node", "flow_node", "camera_node")]
    for name in nodes:
        client = manager.create_client(GetState, f"{name}/get_state")
        assert ask(client, GetState.Request()).current_state.label == "unconfigured"
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        for name in nodes:
            assert change(manager, name, transition), launched.text
    assert soon(lambda: len(heard) >= 5, 30.0), launched.text
    launched.interrupt()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rate:=fast"], "rate is 'fast'; it must be a number"),
        (["use:=telescope"], 'provided value "telescope" is not valid'),
        (["params_file:=/nowhere.yaml"], "there is no such file"),
    ],
)
def test_an_argument_that_makes_no_sense_starts_nothing(
    launch: Launch, arguments: list[str], sentence: str
) -> None:
    launched = launch("emopulse.launch.py", *arguments)
    assert launched.ends() == 1
    assert sentence in launched.text
    assert launched.started == {}


def test_a_node_that_cannot_work_ends_the_launch_and_says_why(launch: Launch) -> None:
    launched = launch("emopulse.launch.py", "camera:=telescope")
    launched.ends()
    assert "There is no camera 'telescope'" in launched.text
    assert "emopulse_container has ended, exit code 2: shutting down" in launched.text


def test_a_node_that_dies_takes_the_others_along(launch: Launch, soon: Any) -> None:
    launched = launch("emopulse.launch.py", "split:=true")
    assert soon(lambda: launched.count("active") == 3, 60.0), launched.text
    os.kill(launched.started["au_node"][0], signal.SIGKILL)
    launched.ends()
    assert "au_node has ended, exit code -9: shutting down" in launched.text
    assert launched.count("process has finished cleanly") == 2, launched.text


def test_a_node_that_dies_is_brought_back_if_so_asked(launch: Launch, soon: Any) -> None:
    launched = launch("emopulse.launch.py", "respawn:=true")
    assert soon(lambda: launched.count("active") == ALL, 60.0), launched.text
    os.kill(launched.started["emopulse_container"][0], signal.SIGKILL)
    assert soon(lambda: launched.count("active") == 2 * ALL, 60.0), launched.text
    assert "has ended, exit code -9; it is started again in 2 s" in launched.text
    assert len(launched.started["emopulse_container"]) == 2
    launched.interrupt()


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A bag of half a second: 100 pictures."""
    pytest.importorskip("rosbags", reason="rosbags is not installed")
    from emopulse_ros.bag.writer import BagWriter
    from emopulse_ros.camera import open_camera

    with open_camera("synthetic:7", duration=0.5) as camera, BagWriter(tmp_path / "bag") as bag:
        for frame in camera:
            bag.image(frame, frame.stamp)
    return tmp_path / "bag"


def test_a_bag_is_replayed_to_its_end(launch: Launch, bag: Path) -> None:
    launched = launch("replay.launch.py", f"bag:={bag}", "speed:=0.5")
    assert launched.ends(60.0) == 0, launched.text
    assert "emopulse_container has ended, exit code 0: shutting down" in launched.text
    assert "frames=100," in launched.text, launched.text
    assert "dropped=0," in launched.text, launched.text


def test_a_bag_ends_the_launch_of_three_processes_too(launch: Launch, bag: Path) -> None:
    launched = launch("replay.launch.py", f"bag:={bag}", "split:=true")
    assert launched.ends(60.0) == 0, launched.text
    assert "camera_node has ended, exit code 0: shutting down in 2 s" in launched.text
    assert launched.count("process has finished cleanly") == 3, launched.text


def test_without_a_bridge_the_view_says_so(launch: Launch) -> None:
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix("foxglove_bridge")
    except PackageNotFoundError:
        launched = launch("view.launch.py")
        assert launched.ends() == 0
        assert "foxglove_bridge is not installed" in launched.text
    else:
        pytest.skip("foxglove_bridge is installed")
