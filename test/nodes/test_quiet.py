"""What was held back of a face is told when it has left, though no other face ever comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emopulse_ros.stream import Activation, MicroExpression


@pytest.mark.parametrize("clock", ["the system's", "a bag's that stands still"])
def test_the_last_face_leaves_nothing_untold(
    light: Any, unhurried: str, tmp_path: Path, soon: Callable[..., bool], clock: str
) -> None:
    from emopulse_ros.nodes.container import Container

    parameters = tmp_path / "parameters.yaml"
    simulated = str(clock != "the system's").lower()
    parameters.write_text(
        Path(unhurried).read_text() + f"/**: {{ros__parameters: {{use_sim_time: {simulated}}}}}\n"
    )
    shown: list[Activation] = []
    told: list[MicroExpression] = []
    light.count = 10**9

    def hear(activation: Activation, _: float) -> None:
        shown.append(activation)

    with Container(
        parameters_file=parameters, on_activation=hear, on_event=told.append
    ) as container:
        assert soon(lambda: len(shown) > 120)
        # While steps come, a face is there: nothing was ended before its time.
        assert all(event.sequence % 50 == 49 for event in told)
        light.has_face = False
        frames = container.flow_node.frames
        assert soon(lambda: container.flow_node.frames > frames + 20)
        assert soon(lambda: not container.au_node.waiting)
        last, before = shown[-1].sequence, len(told)
        assert soon(lambda: len(told) > before, 5.0)
        assert told[-1].sequence == last
        assert container.au_node.events == len(told)
        # It is told once.
        assert soon(lambda: container.flow_node.frames > frames + 400)
        assert len(told) == before + 1
