"""What tests with real ROS share: a domain of their own, and nodes that spin."""

from __future__ import annotations

import fcntl
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def _free_domain() -> int:
    """The first ROS domain that no other test run on this machine has taken.

    It is locked for as long as this process lives, however that ends.
    """
    for domain in range(1, 101):
        path = Path(tempfile.gettempdir(), f"ros_domain_{domain}_{os.getuid()}.lock")
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
        else:
            return domain
    raise RuntimeError("a hundred test runs are under way: no ROS domain is free")


DOMAIN = _free_domain()
# Neither does a test reach a network, nor do two runs on one machine hear each other.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_DOMAIN_ID"] = str(DOMAIN)


WITH_ROS = ("nodes", "transport", "bench", "console", "view", "examples")
"""Folders of the tests that make nodes."""


@pytest.fixture(autouse=True)
def participants(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let nobody who took part in a test be there in the next one.

    What a test drops without destroying it takes part until it is collected; and of more than 32
    participants on one machine some never find each other.
    """
    yield
    if request.path.parent.name in WITH_ROS and "rclpy" in sys.modules:
        gc.collect()


class Ros:
    """Contexts, nodes and executors that a test makes, and that are taken down after it.

    A second process, as far as ROS and the transport are concerned, is a second context.
    """

    def __init__(self) -> None:
        import rclpy

        from emopulse_ros.transport.spinner import Spinner

        self._rclpy = rclpy
        self._spinner = Spinner
        self._undo: list[Callable[[], None]] = []

    def process(self, *args: str) -> Process:
        """A context whose nodes spin; ``args`` as on a command line, ``--ros-args`` first."""
        context = self._rclpy.Context()
        self._rclpy.init(context=context, args=list(args))
        spinner = self._spinner(context)
        spinner.start()
        self._undo += [lambda: self._rclpy.shutdown(context=context), spinner.stop]
        return Process(context, spinner, self._undo)

    def close(self) -> None:
        while self._undo:
            self._undo.pop()()


class Process:
    """One context and the executor of its nodes."""

    def __init__(self, context: Any, spinner: Any, undo: list[Callable[[], None]]) -> None:
        self.context = context
        self.spinner = spinner
        self._undo = undo

    def node(self, name: str, **options: Any) -> Any:
        """A node that spins."""
        import rclpy

        node = rclpy.create_node(name, context=self.context, **options)
        self.spinner.add(node)

        def undo() -> None:
            self.spinner.remove(node)
            node.destroy_node()

        self._undo.append(undo)
        return node


@pytest.fixture
def ros() -> Iterator[Ros]:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    world = Ros()
    yield world
    world.close()


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Wait until something is true; False if it does not become so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def soon() -> Callable[..., bool]:
    return wait_for
