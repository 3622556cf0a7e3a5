"""A process that knows nothing of EmoPulse drives the lifecycle of its nodes, over and over.

``EMOPULSE_LIFECYCLES=100`` makes a hundred rounds of it, ``pytest -s`` shows each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

ROUNDS = max(3, int(os.environ.get("EMOPULSE_LIFECYCLES", "4")))

PERIOD = 5_000_000
"""Between two frames of a camera of 200 Hz, in ns."""

# A plain rclpy program, and a careful one: nothing of ours but the message.
DRIVE = """
import json, sys, time
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from emopulse_msgs.msg import AUActivation
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

rclpy.init()
node = rclpy.create_node("outside_manager")
heard, arrived, told, asked = [], [], {}, 0

def hear(message):
    stamp = message.header.stamp
    heard.append((message.sequence, stamp.sec * 10**9 + stamp.nanosec))
    arrived.append(time.monotonic())

def learn(array):
    stamp = array.header.stamp
    for status in array.status if stamp.sec * 10**9 + stamp.nanosec > asked else ():
        told[status.name.rpartition("/")[2]] = {pair.key: pair.value for pair in status.values}

activations = node.create_subscription(AUActivation, "/emopulse/au_activation", hear, 500)
node.create_subscription(DiagnosticArray, "/diagnostics", learn, 50)
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

def listen(seconds, until=lambda: False):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        rclpy.spin_once(node, timeout_sec=0.05)

assert [label(n) for n in NAMES] == ["unconfigured"] * 3
for _ in range(int(sys.argv[1])):
    for name in NAMES:
        to(name, Transition.TRANSITION_CONFIGURE, "inactive")
    listen(30.0, activations.get_publisher_count)
    heard.clear()
    arrived.clear()
    for name in reversed(NAMES):
        to(name, Transition.TRANSITION_ACTIVATE, "active")
    listen(60.0, lambda: len(heard) >= 200)
    active, took = list(heard), arrived[-1] - arrived[0] if arrived else 0.0
    # What the nodes tell from now on knows of all that was lost until here.
    asked = time.time_ns()
    told.clear()
    listen(30.0, lambda: all(told.get(name) for name in NAMES))
    counted = {name: told[name] for name in NAMES}
    for name in NAMES:
        to(name, Transition.TRANSITION_DEACTIVATE, "inactive")
    listen(0.1)
    heard.clear()
    listen(0.2)
    for name in NAMES:
        to(name, Transition.TRANSITION_CLEANUP, "unconfigured")
    print(json.dumps([active, took, counted, len(heard)]), flush=True)
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


class Losses:
    """How many frames the nodes have told to be lost, from one round to the next."""

    def __init__(self) -> None:
        self._before = 0

    def __call__(self, told: dict[str, dict[str, str]]) -> int:
        camera, flow, au = (told[name] for name in ("camera_node", "flow_node", "au_node"))
        # These count for as long as the process lives, the others since the last activation.
        ever = [flow[what] for what in ("dropped frames", "frames without a face")]
        ever += [
            flow["frames that failed"],
            au["overwritten in the queue"],
            au["fields that failed"],
        ]
        now = sum(map(int, ever))
        since, self._before = now - self._before, now
        return since + int(camera["skipped frames"]) + int(flow["overwritten in the queue"])


def rate(heard: list[tuple[int, int]]) -> float:
    """Activations a second, by their stamps."""
    return (len(heard) - 1) * 1e9 / (heard[-1][1] - heard[0][1])


@pytest.fixture
def container() -> Iterator[subprocess.Popen[str]]:
    """The three nodes in a process of their own, which nobody has brought up."""
    command = [sys.executable, "-m", "emopulse_ros.nodes.container", "--camera", "memory:synthetic"]
    # On a slow machine they are late, and drop nothing for it.
    settings = ("autostart:=false", "patience:=1000000", "queue_depth:=1000")
    arguments = ["--ros-args", *(word for setting in settings for word in ("-p", setting))]
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
    losses = Losses()
    try:
        for line in drive.stdout:
            active, took, told, silent = json.loads(line)
            assert len(active) >= 200
            for (earlier, before), (later, now) in pairwise(active):
                assert now - before == (later - earlier) * PERIOD
            # 200 Hz, but for what the nodes tell to be lost: before the first face as well.
            lost = losses(told)
            assert active[-1][0] + 1 - len(active) <= lost
            assert silent == 0
            after.append(rested(container.pid))
            print(
                len(after),
                f"{rate(active):.1f} Hz, {len(active) / took:.1f} a second,",
                lost,
                after[-1],
            )
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
