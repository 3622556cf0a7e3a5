"""The executables, with everything real: processes, middleware, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

LISTEN = """
import json, sys, rclpy
from emopulse_msgs.msg import AUActivation
heard = []
rclpy.init()
node = rclpy.create_node("plain_listener")
node.create_subscription(AUActivation, "/emopulse/au_activation", heard.append, 500)
print("ready", flush=True)
while len(heard) < int(sys.argv[1]):
    rclpy.spin_once(node)
print(json.dumps([
    [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec, m.sequence, m.latency_ms] for m in heard
]))
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a module of the package, or a script, in a process of its own."""
    running: list[subprocess.Popen[str]] = []

    def begin(what: str, *arguments: str) -> subprocess.Popen[str]:
        how = ["-m", what] if what.startswith("emopulse_ros.") else ["-c", what]
        command = [sys.executable, *how, *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # What cannot be caught is to say where it happened.
        told = {**os.environ, "PYTHONFAULTHANDLER": "1"}
        running.append(subprocess.Popen(command, **pipes, text=True, env=told))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def interrupt(process: subprocess.Popen[str], number: int = signal.SIGINT) -> str:
    """End a process by a signal: in order, soon, and without a traceback; return what it told."""
    # Twice, as when a terminal and a launcher both pass a Ctrl-C on.
    process.send_signal(number)
    time.sleep(0.01)
    process.send_signal(number)
    _, complaints = process.communicate(timeout=30.0)
    assert process.returncode == 0, complaints
    assert "Traceback" not in complaints
    return complaints


def test_another_process_hears_every_activation(start: Start, unhurried: str) -> None:
    listener = start(LISTEN, "400")
    assert listener.stdout is not None
    assert listener.stdout.readline() == "ready\n"
    container = start("emopulse_ros.nodes.container", "--ros-args", "--params-file", unhurried)
    heard, complaints = listener.communicate(timeout=300.0)
    assert listener.returncode == 0, complaints
    stamps, sequences, latencies = zip(*json.loads(heard), strict=True)
    told = interrupt(container, signal.SIGTERM)
    assert "dropped=0" in told
    assert len(stamps) == 400
    assert np.unique(np.diff(sequences)).tolist() == [1], told
    assert np.unique(np.diff(stamps)).tolist() == [5_000_000]
    assert min(latencies) > 0.0


@pytest.mark.parametrize("name", ["camera_node", "flow_node", "au_node"])
def test_a_node_alone_ends_in_order(start: Start, name: str) -> None:
    process = start(f"emopulse_ros.nodes.{name}")
    assert process.stderr is not None
    assert any(f"[emopulse.{name}]: active" in line for line in process.stderr)
    interrupt(process)


def test_a_camera_alone_ends_with_its_last_picture(start: Start) -> None:
    given = ("--ros-args", "-p", "duration:=0.2")
    process = start("emopulse_ros.nodes.camera_node", *given)
    _, told = process.communicate(timeout=60.0)
    assert process.returncode == 0, told
    assert "active" in told
    assert "Traceback" not in told


def test_a_camera_that_others_manage_stays_when_its_pictures_end(
    start: Start, ros: Any, change: Any, soon: Any, told: dict[str, Any]
) -> None:
    from lifecycle_msgs.msg import Transition

    given = ("--ros-args", "-p", "autostart:=false", "-p", "duration:=0.2")
    process = start("emopulse_ros.nodes.camera_node", *given)
    manager = ros.process().node("manager")
    for _ in range(2):
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            assert change(manager, "/emopulse/camera_node", transition)
        assert soon(
            lambda: (
                "camera_node" in told
                and told["camera_node"].message == "the camera has no more pictures"
            )
        )
        assert process.poll() is None
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            assert change(manager, "/emopulse/camera_node", transition)
        told.clear()
    interrupt(process)


def test_the_nodes_work_together_in_three_processes(
    start: Start, ros: Any, soon: Any, tmp_path: Path
) -> None:
    from emopulse_msgs.msg import AUActivation, FlowField

    listener = ros.process().node("listener")
    activations: list[Any] = []
    fields: list[Any] = []
    listener.create_subscription(AUActivation, "/emopulse/au_activation", activations.append, 100)
    flow = listener.create_subscription(FlowField, "/emopulse/flow", fields.append, 100)
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/**/camera_node: {ros__parameters: {rate: 20.0}}")

    def begin(name: str) -> subprocess.Popen[str]:
        return start(f"emopulse_ros.nodes.{name}", "--ros-args", "--params-file", str(parameters))

    nodes = [begin("au_node"), begin("flow_node")]
    # The first field is the one to be seen.
    assert soon(flow.get_publisher_count, 60.0)
    nodes.append(begin("camera_node"))
    assert soon(lambda: len(activations) >= 30 and len(fields) >= 30, 120.0)
    told = [interrupt(node) for node in reversed(nodes)]
    numbers = [message.sequence for message in activations]
    assert numbers == sorted(set(numbers))
    assert fields[0].restarted, told
    for before, field in pairwise(fields):
        # A slow machine may lose images between the processes, and so begin anew.
        lost = field.sequence > before.sequence + 1 or field.face_id != before.face_id
        assert lost or not field.restarted
    assert fields[0].channels == fields[-1].channels


@pytest.mark.parametrize(
    ("module", "parameter", "sentence"),
    [
        ("camera_node", "camera:=telescope", "There is no camera 'telescope'"),
        ("au_node", "model:=/nowhere.onnx", "there is no model at /nowhere.onnx"),
        ("container", "broken", "ROS cannot work with its arguments"),
    ],
)
def test_what_cannot_be_worked_with_ends_with_status_2(
    start: Start, module: str, parameter: str, sentence: str
) -> None:
    process = start(f"emopulse_ros.nodes.{module}", "--ros-args", "-p", parameter)
    _, complaints = process.communicate(timeout=60.0)
    assert process.returncode == 2
    assert sentence in complaints
    assert "Traceback" not in complaints


def test_a_container_takes_the_images_of_another_driver(start: Start, ros: Any, soon: Any) -> None:
    from sensor_msgs.msg import Image

    driver = ros.process().node("driver")
    publisher = driver.create_publisher(Image, "/their/image", 10)
    namespace = ("--ros-args", "-r", "__ns:=/robot")
    container = start("emopulse_ros.nodes.container", "--camera", "ros:/their/image", *namespace)
    assert soon(publisher.get_subscription_count, 60.0)
    assert soon(lambda: ("flow_node", "/robot") in driver.get_node_names_and_namespaces())
    assert ("camera_node", "/robot") not in driver.get_node_names_and_namespaces()
    interrupt(container)


def test_a_container_refuses_an_option_it_does_not_know(start: Start) -> None:
    process = start("emopulse_ros.nodes.container", "--camra", "synthetic", "--ros-args")
    _, complaints = process.communicate(timeout=60.0)
    assert process.returncode == 2
    assert "unrecognized arguments: --camra synthetic" in complaints
