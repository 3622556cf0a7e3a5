"""Stages that cost nothing, for tests of the nodes around them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from emopulse_ros.camera import CameraError
from emopulse_ros.facs import CODES
from emopulse_ros.stream import (
    Activation,
    FaceCrop,
    FlowStep,
    Frame,
    MicroExpression,
    read_only,
)

PERIOD = 5_000_000


class LightCamera:
    """A camera of small pictures; ``count`` of them, a new brightness each."""

    def __init__(self, count: int, fails_at: int | None, period: int) -> None:
        self.name = "light"
        self.rate = 1e9 / period
        self.size = (64, 48)
        self.script = None
        self.is_closed = False
        self.taken: list[Frame] = []
        self._index = -1
        self._count = count
        self._fails_at = fails_at
        self._period = period
        self.pauses_at: int | None = None
        """The picture before which nothing was taken for a minute."""

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        self._index += 1
        if self._index == self._fails_at:
            raise CameraError("The cable was pulled out.")
        if self._index >= self._count or self.is_closed:
            raise StopIteration
        picture = np.full((48, 64), self._index % 256, np.uint8)
        stamp = self._index * self._period
        if self.pauses_at is not None and self._index >= self.pauses_at:
            stamp += 60_000_000_000
        self.taken.append(Frame(stamp, self._index, read_only(picture)))
        return self.taken[-1]

    def close(self) -> None:
        self.is_closed = True


class Light:
    """Stages that say who has seen what; hooks to fail or to see no face."""

    def __init__(self) -> None:
        self.cameras: list[LightCamera] = []
        self.count = 200
        self.fails_at: int | None = None
        self.period = PERIOD
        self.frames: list[Frame] = []
        self.steps_made: list[FlowStep] = []
        self.steps_read: list[FlowStep] = []
        self.threads: set[str] = set()
        self.before_face: Callable[[Frame], None] = lambda _: None
        self.before_detection: Callable[[FlowStep], None] = lambda _: None
        self.has_face = True

    def open_camera(self, *_: Any, **__: Any) -> LightCamera:
        self.cameras.append(LightCamera(self.count, self.fails_at, self.period))
        return self.cameras[-1]


class LightFace:
    """Sees a face in every picture, always the same one."""

    def __init__(self, light: Light) -> None:
        self.status = "no frame yet"
        self.beside = self
        self.late = 0
        self.most = 3
        self.following = 0
        self._light = light

    def __call__(self, frame: Frame) -> list[FaceCrop]:
        self._light.frames.append(frame)
        self._light.threads.add(threading.current_thread().name)
        self._light.before_face(frame)
        self.status = "following a face" if self._light.has_face else "no face in view"
        self.following = int(self._light.has_face)
        if not self._light.has_face:
            return []
        place = read_only(np.eye(2, 3))
        return [FaceCrop(frame.stamp, frame.sequence, 1, frame.image, place, frame.frame_id)]

    def begin_look(self) -> None:
        """There is nothing to look for."""

    def close(self) -> None:
        self.status = "closed"


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Light:
    """Replace camera and stages of the nodes by ones that cost nothing."""
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from emopulse_ros.detection.model import Card
    from emopulse_ros.nodes import au_node, camera_node, flow_node, view_node

    world = Light()

    class Flow:
        def __init__(self, *_: Any) -> None:
            self._fresh = True

        def __call__(self, crop: FaceCrop) -> FlowStep:
            data = read_only(np.full((9, 8, 8), crop.sequence, np.float32))
            channels = tuple(f"channel_{index}" for index in range(9))
            step = FlowStep(
                crop.stamp, crop.sequence, 1, data, channels, crop.to_image, self._fresh
            )
            self._fresh = False
            world.steps_made.append(step)
            return step

    class Engine:
        card = Card("light", "step")

        trouble = ""
        failures = 0
        at_once = 1

        def describe(self) -> str:
            return "none at all"

        def close(self) -> None: ...

    class Detector:
        def __init__(self, *_: Any) -> None: ...

        def __call__(self, step: FlowStep) -> Activation:
            world.steps_read.append(step)
            world.before_detection(step)
            values = read_only(np.full(len(CODES), 0.5, np.float32))
            return Activation(
                step.stamp, step.sequence, 1, CODES, values, values, 1.0, "light", "0" * 64
            )

    class Finder:
        """Every fiftieth frame an event; one more when it is flushed."""

        def __init__(self) -> None:
            self._last: Activation | None = None

        def __call__(self, activation: Activation) -> MicroExpression | None:
            self._last = activation
            return self._event(activation) if activation.sequence % 50 == 49 else None

        def flush(self) -> MicroExpression | None:
            last, self._last = self._last, None
            return None if last is None else self._event(last)

        def _event(self, at: Activation) -> MicroExpression:
            peak = read_only(np.ones(1, np.float32))
            onset, apex = at.stamp - 20 * PERIOD, at.stamp - 10 * PERIOD
            return MicroExpression(
                at.stamp, at.sequence, 1, onset, apex, at.stamp, (12,), peak, 0.9
            )

    monkeypatch.setattr(camera_node, "open_camera", world.open_camera)
    monkeypatch.setattr(flow_node, "open_engine", lambda _: Engine())
    monkeypatch.setattr(flow_node, "face_stage", lambda *_, **__: LightFace(world))
    monkeypatch.setattr(flow_node, "FlowStage", Flow)
    monkeypatch.setattr(au_node, "open_live_engine", lambda *_, **__: Engine())
    monkeypatch.setattr(view_node, "open_engine", lambda _: Engine())
    monkeypatch.setattr(au_node, "Detector", Detector)
    monkeypatch.setattr(
        au_node, "detect", lambda each, steps: list(map(Detector.__call__, each, steps))
    )
    monkeypatch.setattr(au_node, "event_finder", lambda _: Finder())
    return world


@pytest.fixture
def unhurried(tmp_path: Any) -> str:
    """A parameter file with which a slow machine is late but drops nothing."""
    path = tmp_path / "unhurried.yaml"
    path.write_text(
        "/**/camera_node: {ros__parameters: {patience: 1000000}}\n"
        "/**/flow_node: {ros__parameters: {queue_depth: 1000}}\n"
        "/**/au_node: {ros__parameters: {queue_depth: 1000}}\n"
    )
    return str(path)


@pytest.fixture
def ask(soon: Callable[..., bool]) -> Callable[..., Any]:
    """Call a service, again if the answer got lost, as it does while both sides find each other.

    The executor of the client's ``node``, where that is given, is woken for each try: one that was
    told of the client while it took stock has not heard of it.
    """

    def call(client: Any, request: Any, node: Any = None) -> Any:
        assert client.wait_for_service(30.0), client.srv_name
        for _ in range(10):
            if node is not None and node.executor is not None:
                node.executor.wake()
            answer = client.call_async(request)
            if soon(answer.done, 3.0):
                return answer.result()
        raise AssertionError(f"no answer from {client.srv_name}")

    return call


@pytest.fixture
def change(ask: Callable[..., Any]) -> Callable[[Any, str, int], bool]:
    """Ask a node for a transition, from another node; whether it succeeded."""

    def to(outside: Any, name: str, transition: int) -> bool:
        from lifecycle_msgs.msg import Transition
        from lifecycle_msgs.srv import ChangeState

        client = outside.create_client(ChangeState, f"{name}/change_state")
        # One that is none: what may be asked twice makes sure that each hears the other.
        none = ChangeState.Request(transition=Transition(id=200))
        assert not ask(client, none, outside).success
        wanted = ChangeState.Request(transition=Transition(id=transition))
        return bool(ask(client, wanted, outside).success)

    return to


@pytest.fixture
def told(ros: Any) -> dict[str, Any]:
    """What each node says last of itself on /diagnostics, by its name."""
    message = pytest.importorskip("diagnostic_msgs.msg", reason="diagnostic_msgs is not installed")
    latest: dict[str, Any] = {}

    def hear(array: Any) -> None:
        for status in array.status:
            latest[status.name.rpartition("/")[2]] = status

    node = ros.process().node("listener")
    node.create_subscription(message.DiagnosticArray, "/diagnostics", hear, 10)
    return latest
