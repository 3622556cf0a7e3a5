"""A process that knows nothing of EmoPulse drives the lifecycle of its nodes, over and over.

``EMOPULSE_LIFECYCLES=100`` makes a hundred rounds of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

ROUNDS = int(os.environ.get("EMOPULSE_LIFECYCLES", "6"))

# A plain rclpy program, and a careful one: nothing of ours but the message.
DRIVE = """
import json, sys, time
import rclpy
from emopulse_msgs.msg import AUActivation
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

rclpy.init()
node = rclpy.create_node("outside_manager")
heard = []
node.create_subscription(AUActivation, "/emopulse/au_activation", heard.append, 500)
NAMES = ("camera_node", "flow_node", "au_node")
change = {n: node.create_client(ChangeState, f"/emopulse/{n}/change_state") for n in NAMES}
state = {n: node.create_client(GetState, f"/emopulse/{n}/get_state") for n in NAMES}

def call(client, request, attempts=1):
    assert client.wait_for_service(30.0), client.srv_name
    for _ in range(attempts):
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=30.0 / attempts)
        if future.done():
            return future.result()
    raise AssertionError(f"no answer from {client.srv_name}")

# An answer may be lost while both sides still find each other: what may be asked twice comes first.
for name in NAMES:
    call(state[name], GetState.Request(), attempts=10)
    assert not call(change[name], ChangeState.Request(transition=Transition(id=200)), 10).success

def label(name):
    return call(state[name], GetState.Request()).current_state.label

def to(name, transition, expected):
    answer = call(change[name], ChangeState.Request(transition=Transition(id=transition)))
    assert answer.success, (name, transition)
    assert label(name) == expected, (name, transition, label(name))

def listen(seconds, until=None):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (until and len(heard) >= until):
        rclpy.spin_once(node, timeout_sec=0.05)

assert [label(n) for n in NAMES] == ["unconfigured"] * 3
for _ in range(int(sys.argv[1])):
    for name in NAMES:
        to(name, Transition.TRANSITION_CONFIGURE, "inactive")
    for name in reversed(NAMES):
        to(name, Transition.TRANSITION_ACTIVATE, "active")
    heard.clear()
    listen(60.0, until=20)
    active = len(heard)
    for name in NAMES:
        to(name, Transition.TRANSITION_DEACTIVATE, "inactive")
    listen(0.1)
    heard.clear()
    listen(0.2)
    for name in NAMES:
        to(name, Transition.TRANSITION_CLEANUP, "unconfigured")
    print(json.dumps([active, len(heard)]), flush=True)
    sys.stdin.readline()
for name in NAMES:
    to(name, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN, "finalized")
"""


def footprint(pid: int) -> dict[str, int]:
    """What a process holds: threads, file descriptors, children, and memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return {
        "threads": int(lines["Threads"]),
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "children": len(children.read_text().split()) if children.exists() else 0,
        "memory": int(lines["VmRSS"].split()[0]) // 1024,
    }


def rested(pid: int) -> dict[str, int]:
    """The least it holds within a quarter of a second: the middleware's threads come and go."""
    looks = []
    for _ in range(5):
        time.sleep(0.05)
        looks.append(footprint(pid))
    return {what: min(look[what] for look in looks) for what in looks[0]}


@pytest.fixture
def container() -> Iterator[subprocess.Popen[str]]:
    """The three nodes in a process of their own, which nobody has brought up."""
    command = [sys.executable, "-m", "emopulse_ros.nodes.container"]
    arguments = ["--ros-args", "-p", "autostart:=false"]
    with subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc here")
def test_a_manager_of_another_process_drives_the_nodes_and_nothing_leaks(
    container: subprocess.Popen[str],
) -> None:
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    drive = subprocess.Popen([sys.executable, "-c", DRIVE, str(ROUNDS)], text=True, **pipes)
    assert drive.stdin is not None
    assert drive.stdout is not None
    after: list[dict[str, int]] = []
    try:
        for line in drive.stdout:
            active, silent = json.loads(line)
            assert active >= 20
            assert silent == 0
            after.append(rested(container.pid))
            print(len(after), after[-1])
            drive.stdin.write("\n")
            drive.stdin.flush()
        _, complaints = drive.communicate(timeout=60.0)
    finally:
        drive.kill()
        drive.wait()
    assert drive.returncode == 0, complaints
    assert len(after) == ROUNDS
    # A thread may be on its way at any moment, but what grows with each round shows.
    middle = ROUNDS // 2 + 1
    for what in ("threads", "descriptors", "children"):
        earlier, later = [[one[what] for one in part] for part in (after[1:middle], after[middle:])]
        assert min(later) <= max(earlier), (what, earlier, later)
    grown = after[-1]["memory"] - after[1]["memory"]
    # The allocator takes its time to settle; beyond that, half a megabyte a round would be a leak.
    assert grown <= 20 + 0.5 * ROUNDS, after
    container.terminate()
    _, told = container.communicate(timeout=30.0)
    assert container.returncode == 0, told
    assert "Traceback" not in told
