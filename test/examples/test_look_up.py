"""The example does what it says: the head goes up once for brows that are up for 50 ms."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "examples" / "look_up.py"
PERIOD = 5_000_000
UP, DOWN = (0.9, 0.8), (0.1, 0.1)


@pytest.fixture
def process(ros: Any) -> Any:
    return ros.process()


@pytest.fixture
def look_up(process: Any) -> Iterator[Any]:
    """The example, at work."""
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    node = runpy.run_path(str(SOURCE))["LookUp"](context=process.context)
    process.spinner.add(node)
    yield node
    process.spinner.remove(node)
    node.destroy_node()


@pytest.fixture
def world(process: Any, look_up: Any, soon: Any) -> Any:
    """Shows the example some brows, by 5 ms each, and what it made of them."""
    from std_msgs.msg import Float64

    from emopulse_msgs.msg import AUActivation
    from emopulse_ros.nodes.stamps import to_time

    node = process.node("somebody")
    publisher = node.create_publisher(AUActivation, "/emopulse/au_activation", 200)
    said: list[float] = []
    node.create_subscription(Float64, "/head/tilt", lambda message: said.append(message.data), 10)
    assert soon(publisher.get_subscription_count)
    assert soon(look_up.head.get_subscription_count)
    sequence = 0

    def show(frames: int, *brows: tuple[float, float], away: int = 0) -> None:
        """Inner and outer brows of each face, for some frames; before, none for some frames."""
        nonlocal sequence
        sequence += away
        for _ in range(frames):
            sequence += 1
            for face_id, (inner, outer) in enumerate(brows, 1):
                message = AUActivation(codes=[1, 2, 4], probability=[inner, outer, 0.0])
                message.face_id = face_id
                message.header.stamp = to_time(10**18 + sequence * PERIOD)
                publisher.publish(message)
        now = pytest.approx((10**18 + sequence * PERIOD) / 1e9, abs=1e-3)
        assert soon(lambda: look_up.faces.get(len(brows), (0.0,))[0] == now)

    return show, said


def test_brows_that_are_up_long_enough_are_answered_once(world: Any, soon: Any) -> None:
    show, said = world
    show(10, UP)
    show(5, DOWN)
    assert said == []
    show(40, UP)
    assert soon(lambda: said == [0.3])
    show(5, DOWN)
    show(40, UP)
    assert soon(lambda: said == [0.3, 0.3])


def test_one_brow_alone_or_a_face_that_went_away_is_no_answer(world: Any) -> None:
    show, said = world
    show(40, (0.9, 0.1))
    show(40, (0.1, 0.9))
    show(6, UP)
    show(6, UP, away=40)
    show(1, DOWN)
    assert said == []


def test_each_face_has_brows_of_its_own(world: Any, soon: Any) -> None:
    show, said = world
    show(40, DOWN, UP)
    assert soon(lambda: said == [0.3])
    show(40, UP, UP)
    assert soon(lambda: said == [0.3, 0.3])
    # Two who raise them in turn, each too briefly.
    show(5, DOWN, DOWN)
    for _ in range(3):
        show(8, UP, DOWN)
        show(8, DOWN, UP)
    show(1, DOWN, DOWN)
    assert said == [0.3, 0.3]


def test_faces_that_have_gone_are_forgotten(world: Any, look_up: Any) -> None:
    show, _ = world
    show(5, UP, UP, UP)
    show(20, UP)
    assert list(look_up.faces) == [1]


def test_it_is_short_enough_to_read() -> None:
    assert len(SOURCE.read_text().splitlines()) <= 40
