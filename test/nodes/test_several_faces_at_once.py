"""Several faces are one piece of work where that is less than one for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.stream import FlowStep, read_only

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

CHANNELS = FlowRecipe().channels
FLOWS = np.random.default_rng(3).normal(0.0, 0.3, (4, 9, 64, 64)).astype(np.float32)


def step(number: int, face: int, channels: tuple[str, ...] = CHANNELS) -> FlowStep:
    flow = read_only(FLOWS[face % 4].copy())
    matrix = read_only(np.eye(2, 3))
    return FlowStep(5_000_000 * number, number, face, flow, channels, matrix, number == 0)


class World:
    """An AU node, and what stands before it."""

    def __init__(self, ros: Any, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
        from rclpy.parameter import Parameter

        from emopulse_ros.nodes import qualities
        from emopulse_ros.nodes.au_node import AuNode
        from emopulse_ros.nodes.messages import FLOW
        from emopulse_ros.transport import Publisher

        self.batches: list[int] = []
        own = OnnxEngine.step_all

        def counted(engine: Any, flows: Any, states: Any) -> Any:
            self.batches.append(len(flows))
            return own(engine, flows, states)

        monkeypatch.setattr(OnnxEngine, "at_once", at_once)
        monkeypatch.setattr(OnnxEngine, "step_all", counted)
        process = ros.process()
        self.call = process.spinner.call
        settings = {"autostart": False, "humans": "off", "engine": "onnx", "faces": 4}
        overrides = [Parameter(name, value=value) for name, value in settings.items()]
        self.node = AuNode(context=process.context, parameter_overrides=overrides)
        process.spinner.add(self.node)
        ros._undo.append(lambda: self._end(process))
        self.call(self.node.trigger_configure)
        self.call(self.node.trigger_activate)
        self.shown: list[Any] = []
        self.node.on_activation = lambda activation, _: self.shown.append(activation)
        before = process.node("before")
        self.publisher = Publisher(before, FLOW, "/emopulse/flow", qualities.flow(32))

    def _end(self, process: Any) -> None:
        process.spinner.remove(self.node)
        self.node.destroy_node()

    def publish(self, *steps: FlowStep) -> None:
        """All of them before the node reads the first."""
        self.call(lambda: [self.publisher.publish(one) for one in steps])


@pytest.fixture
def world(ros: Any, monkeypatch: pytest.MonkeyPatch, request: Any) -> World:
    return World(ros, monkeypatch, request.param)


@pytest.mark.parametrize(
    ("world", "batches"), [(4, [3, 3, 1, 4, 2]), (2, [2, 1, 2, 1, 1, 2, 1, 2, 1]), (1, [1] * 13)],
    indirect=["world"],
)  # fmt: skip
def test_faces_of_one_moment_that_wait_are_one_batch(
    world: World, batches: list[int], soon: Any
) -> None:
    assert soon(lambda: world.publisher.get_subscription_count() == 1)
    first, second = ([step(number, face) for face in (1, 2, 3)] for number in (0, 1))
    third = [step(2, 1)]
    fourth = [step(3, face) for face in (1, 2, 3, 4)]
    every = [*first, *second, *third, *fourth]
    world.publish(*every)
    assert soon(lambda: len(world.shown) == len(every))
    # The second and the third face miss a moment: the step after it stands for two ticks.
    assert world.batches == batches
    assert [(one.stamp, one.face_id) for one in world.shown] == [
        (one.stamp, one.face_id) for one in every
    ]
    assert world.node.published == len(every)
    assert world.node.errors == 0


@pytest.mark.parametrize("world", [4], indirect=True)
def test_each_face_is_read_by_its_own_state(world: World, soon: Any) -> None:
    assert soon(lambda: world.publisher.get_subscription_count() == 1)
    for number in range(6):
        world.publish(*(step(number, face) for face in (1, 2, 3)))
        assert soon(lambda number=number: len(world.shown) == 3 * (number + 1))
    engine = OnnxEngine(Path(__file__).parents[2] / "emopulse_ros" / "models" / "tiny_i3d.onnx")
    for face in (1, 2, 3):
        state = engine.first_state()
        for _ in range(6):
            reading, state = engine.step(FLOWS[face % 4], state)
        (last,) = [one for one in world.shown[-3:] if one.face_id == face]
        wanted = engine.card.probability(reading.logits)
        np.testing.assert_allclose(last.probability, wanted, atol=1e-6)


@pytest.mark.parametrize("world", [4], indirect=True)
def test_flow_of_another_model_spoils_no_other_face(world: World, soon: Any) -> None:
    assert soon(lambda: world.publisher.get_subscription_count() == 1)
    other = ("u_5", "v_5", "strain_5")
    world.publish(step(0, 1), step(0, 2, other), step(0, 3), step(0, 4))
    assert soon(lambda: len(world.shown) == 3)
    assert [one.face_id for one in world.shown] == [1, 3, 4]
    assert world.node.errors == 1
