"""From a GigE Vision camera to action units that another process hears."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from camera.gige import Gige, own_gige

pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")


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
    gige.plug_in(face=True)
    with Container(gige.spec, rate=200.0, parameters_file=vga) as container:
        assert soon(lambda: len(listener.heard) > 200, 30.0)
        gige.unplug()
        node = container.camera_node
        assert node is not None
        assert node.paced is not None
        assert soon(lambda: bool(node.paced.status), 10.0)
        before = len(listener.heard)
        gige.plug_in(face=True)
        assert soon(lambda: len(listener.heard) > before + 100, 30.0)
        assert node.paced.status == ""
    assert listener.is_in_order()
    # The hole is one in time; what is missing before it has been counted.
    steps = [after - before for (before, _), (after, _) in pairwise(listener.heard)]
    assert max(steps) > 200_000_000


def test_packets_are_lost_and_the_stream_goes_on(
    gige: Gige, ros: Any, soon: Any, vga: Path
) -> None:
    from emopulse_ros.nodes.container import Container

    listener = Listener(ros.process().node("listener"))
    gige.plug_in(lost_per_thousand=1, face=True)
    with Container(gige.spec, rate=200.0, parameters_file=vga) as container:
        assert soon(lambda: len(listener.heard) > 300, 30.0)
        node = container.camera_node
        assert node is not None
        assert soon(lambda: node.skipped > 10, 10.0)
    assert listener.is_in_order()
    holes = sum(after - before - 1 for (_, before), (_, after) in pairwise(listener.heard))
    assert holes > 10
