"""The example does what it says: the head goes up once for brows that are up for 50 ms."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "examples" / "look_up.py"
PERIOD = 5_000_000


@pytest.fixture
def world(ros: Any, soon: Any) -> Any:
    """Shows the example some brows, by 5 ms each, and returns what it made of them."""
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from std_msgs.msg import Float64

    from emopulse_msgs.msg import AUActivation
    from emopulse_ros.nodes.stamps import to_time

    process = ros.process()
    node = process.node("somebody")
    publisher = node.create_publisher(AUActivation, "/emopulse/au_activation", 200)
    said: list[float] = []
    node.create_subscription(Float64, "/head/tilt", lambda message: said.append(message.data), 10)
    look_up = runpy.run_path(str(SOURCE))["LookUp"](context=process.context)
    process.spinner.add(look_up)
    assert soon(publisher.get_subscription_count)
    assert soon(look_up.head.get_subscription_count)
    sequence = 0

    def show(frames: int, inner: float, outer: float, away: int = 0) -> list[float]:
        nonlocal sequence
        sequence += away
        for _ in range(frames):
            sequence += 1
            message = AUActivation(codes=[1, 2, 4], probability=[inner, outer, 0.0])
            message.header.stamp = to_time(10**18 + sequence * PERIOD)
            publisher.publish(message)
        now = (10**18 + sequence * PERIOD) / 1e9
        assert soon(lambda: look_up.last == pytest.approx(now, abs=1e-3))
        return said

    yield show, said
    process.spinner.remove(look_up)
    look_up.destroy_node()


def test_brows_that_are_up_long_enough_are_answered_once(world: Any, soon: Any) -> None:
    show, said = world
    show(10, 0.9, 0.9)
    show(5, 0.1, 0.1)
    assert said == []
    show(40, 0.9, 0.8)
    assert soon(lambda: said == [0.3])
    show(5, 0.1, 0.1)
    show(40, 0.9, 0.8)
    assert soon(lambda: said == [0.3, 0.3])


def test_one_brow_alone_or_a_face_that_went_away_is_no_answer(world: Any) -> None:
    show, said = world
    show(40, 0.9, 0.1)
    show(40, 0.1, 0.9)
    show(6, 0.9, 0.9)
    show(6, 0.9, 0.9, away=40)
    show(1, 0.0, 0.0)
    assert said == []


def test_it_is_short_enough_to_read() -> None:
    assert len(SOURCE.read_text().splitlines()) <= 40
