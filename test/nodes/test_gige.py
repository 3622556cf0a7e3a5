"""From a GigE Vision camera to action units that another process hears."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from camera.gige import Gige, own_gige

from emopulse_ros.stream import Frame

pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")

WITHIN = 4_000_000_000
"""In ns: twice the time within which a camera is to be back. The machine may be busy."""


@pytest.fixture
def gige() -> Iterator[Gige]:
    with own_gige() as camera:
        yield camera


@pytest.fixture
def vga(tmp_path: Path) -> Path:
    """A parameter file that asks for the size of the camera's pictures."""
    path = tmp_path / "vga.yaml"
    path.write_text("/**/camera_node: {ros__parameters: {width: 640, height: 480}}\n")
    return path


class Listener:
    """Keeps stamps (ns) and sequence numbers of the activations it hears."""

    def __init__(self, node: Any) -> None:
        from emopulse_msgs.msg import AUActivation
        from emopulse_ros.nodes import qualities

        self.heard: list[tuple[int, int]] = []
        node.create_subscription(
            AUActivation, "/emopulse/au_activation", self._hear, qualities.activations()
        )

    def _hear(self, message: Any) -> None:
        stamp = message.header.stamp
        self.heard.append((stamp.sec * 10**9 + stamp.nanosec, message.sequence))

    def is_in_order(self) -> bool:
        """Whether no stamp and no number comes twice, or goes back."""
        return all(
            before < after
            for column in zip(*self.heard, strict=True)
            for before, after in pairwise(column)
        )


def test_activations_from_a_camera_that_is_unplugged_in_between(
    gige: Gige, ros: Any, soon: Any, vga: Path
) -> None:
    from emopulse_ros.nodes.container import Container

    listener = Listener(ros.process().node("listener"))
    pictures: list[int] = []
    gige.plug_in(face=True)
    with Container(gige.spec, rate=200.0, parameters_file=vga) as container:
        container.flow_node.on_frame = lambda frame: pictures.append(frame.stamp)
        assert soon(lambda: len(listener.heard) > 100, 60.0)
        unplugged_at = time.time_ns()
        gige.unplug()
        node = container.camera_node
        assert node is not None
        assert node.paced is not None
        assert soon(lambda: bool(node.paced.status), 10.0)
        before = len(listener.heard)
        gige.plug_in(face=True)
        away = time.time_ns() - unplugged_at
        assert soon(lambda: len(listener.heard) > before + 50, 60.0)
        assert node.paced.status == ""
    assert listener.is_in_order()
    hole = max(after - before for before, after in pairwise(pictures))
    assert away < hole < away + WITHIN


def test_one_packet_in_a_hundred_is_lost_and_the_stream_goes_on(
    gige: Gige, ros: Any, soon: Any, vga: Path
) -> None:
    from emopulse_ros.nodes.container import Container

    listener = Listener(ros.process().node("listener"))
    pictures: list[Frame] = []
    gige.plug_in(lost_per_thousand=10, face=True)
    with Container(gige.spec, rate=200.0, parameters_file=vga) as container:
        container.flow_node.on_frame = pictures.append
        assert soon(lambda: len(listener.heard) > 100, 60.0)
        node = container.camera_node
        assert node is not None
        assert node.paced is not None
        assert node.paced.status == ""
    assert listener.is_in_order()
    assert all(before.stamp < after.stamp for before, after in pairwise(pictures))
    # 38 packets a picture, of which 1 in 100 is lost: a third of the pictures.
    holes = sum(after.sequence - before.sequence - 1 for before, after in pairwise(pictures))
    assert holes > len(pictures) // 5
    flow = container.flow_node
    assert flow.gaps == holes
    # Counted where it was lost: on its way, or in the queue of a machine that is busy.
    assert node.skipped + flow.subscription.overwritten >= holes
