"""Transitions in many orders, from inside and through the services of ROS."""

from __future__ import annotations

import threading
from typing import Any

import pytest

ORDERS = [
    "configure cleanup configure cleanup",
    "configure activate deactivate activate deactivate cleanup configure activate shutdown",
    "configure activate deactivate cleanup shutdown",
    "shutdown",
    "configure shutdown",
]
STATE_AFTER = {
    "configure": "inactive",
    "activate": "active",
    "deactivate": "inactive",
    "cleanup": "unconfigured",
    "shutdown": "finalized",
}


def state(node: Any) -> str:
    return str(node._state_machine.current_state[1])


def ours() -> set[str]:
    names = {"capture", "diagnostics", "courier"}
    return {thread.name for thread in threading.enumerate()} & names


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["CameraNode", "FlowNode", "AuNode"])
def test_nodes_take_every_order_of_transitions(
    ros: Any, light: Any, soon: Any, order: str, name: str
) -> None:
    from emopulse_ros.nodes import au_node, camera_node, flow_node

    light.count = 10**9
    process = ros.process()
    modules = {"CameraNode": camera_node, "FlowNode": flow_node, "AuNode": au_node}
    node = getattr(modules[name], name)(context=process.context)
    process.spinner.add(node)
    for transition in order.split():
        process.spinner.call(getattr(node, f"trigger_{transition}"))
        assert state(node) == STATE_AFTER[transition]
        assert node.error is None
    process.spinner.call(node.shut_down)
    assert soon(lambda: ours() == set())
    assert all(camera.is_closed for camera in light.cameras)
    process.spinner.remove(node)
    node.destroy_node()


def test_a_node_publishes_while_active_and_only_then(ros: Any, light: Any, soon: Any) -> None:
    from emopulse_ros.nodes.camera_node import CameraNode
    from emopulse_ros.nodes.flow_node import FlowNode

    light.count = 10**9
    process = ros.process()
    camera, flow = CameraNode(context=process.context), FlowNode(context=process.context)
    process.spinner.add(camera, flow)

    def change(node: Any, transition: str) -> None:
        process.spinner.call(getattr(node, f"trigger_{transition}"))

    for node in (camera, flow):
        change(node, "configure")
    assert light.frames == []
    change(flow, "activate")
    change(camera, "activate")
    assert soon(lambda: len(light.frames) > 10)
    change(flow, "deactivate")
    count, published = len(light.frames), camera.published
    assert soon(lambda: camera.published > published + 10)
    assert len(light.frames) == count
    change(flow, "activate")
    assert soon(lambda: len(light.frames) > count + 10)
    change(camera, "deactivate")
    assert soon(lambda: not flow.waiting)
    count = len(light.frames)
    change(camera, "activate")
    assert soon(lambda: len(light.frames) > count + 10)
    sequences = [frame.sequence for frame in light.frames]
    assert sequences == sorted(set(sequences))
    for node in (camera, flow):
        process.spinner.call(node.shut_down)
        process.spinner.remove(node)
        node.destroy_node()


def test_a_node_that_cannot_be_configured_says_why_and_can_be_tried_again(
    ros: Any, capfd: Any
) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from rclpy.parameter import Parameter

    from emopulse_ros.nodes.camera_node import CameraNode

    process = ros.process()
    wrong = [Parameter("camera", value="telescope")]
    node = CameraNode(context=process.context, parameter_overrides=wrong)
    process.spinner.add(node)
    process.spinner.call(node.trigger_configure)
    assert state(node) == "unconfigured"
    assert "There is no camera 'telescope'" in str(node.error)
    assert "There is no camera 'telescope'" in capfd.readouterr().err
    node.set_parameters([Parameter("camera", value="synthetic:3")])
    process.spinner.call(node.trigger_configure)
    assert state(node) == "inactive"
    assert node.error is None
    process.spinner.call(node.trigger_shutdown)
    assert state(node) == "finalized"
    process.spinner.remove(node)
    node.destroy_node()


def test_transitions_come_through_the_services_of_ros(ros: Any, light: Any, soon: Any) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    from emopulse_ros.nodes.flow_node import FlowNode

    process, outside = ros.process(), ros.process().node("outside")
    node = FlowNode(context=process.context)
    process.spinner.add(node)
    client = outside.create_client(ChangeState, "/emopulse/flow_node/change_state")
    assert client.wait_for_service(10.0)

    def ask(transition: int, expected: str) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        for _ in range(5):
            # Either may be lost while the two sides still find each other.
            client.call_async(request)
            if soon(lambda: state(node) == expected, 4.0):
                return True
        return False

    assert ask(Transition.TRANSITION_CONFIGURE, "inactive")
    assert ask(Transition.TRANSITION_ACTIVATE, "active")
    assert ask(Transition.TRANSITION_DEACTIVATE, "inactive")
    assert ask(Transition.TRANSITION_CLEANUP, "unconfigured")
    assert light.frames == []
    process.spinner.remove(node)
    node.destroy_node()
