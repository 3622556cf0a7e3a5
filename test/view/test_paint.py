"""What is drawn lies where it was seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emopulse_ros.stream import Frame, read_only
from emopulse_ros.view.annotation import MAGNIFIED, annotate
from emopulse_ros.view.paint import AMBER, BLUE, paint
from emopulse_ros.view.pairing import Scene
from view.scenes import LEVELS, frame, scene, step


def test_outline_and_arrows_are_placed_by_the_steps_geometry() -> None:
    drawn = annotate(scene(1), LEVELS)
    # A grid of 64 at twice its size, from (100, 50) on.
    assert drawn.outline.tolist() == [[99, 49], [227, 49], [227, 177], [99, 177]]
    tails, heads = drawn.arrows[:, 0], drawn.arrows[:, 1]
    assert len(tails) > 60
    assert np.allclose(heads - tails, (MAGNIFIED * 0.5 * 2.0, 0.0))
    assert ((tails > (99, 49)) & (tails < (227, 177))).all()


def test_a_face_at_rest_has_no_arrows_and_no_face_nothing_at_all() -> None:
    still = Scene(frame(1), step(1, across=0.01), scene(1).activation)
    assert annotate(still, LEVELS).arrows.shape == (0, 2, 2)
    nothing = annotate(Scene(frame(1)), LEVELS)
    assert (len(nothing.outline), len(nothing.arrows), nothing.active) == (0, 0, ())


def test_only_units_above_their_level_are_active() -> None:
    assert annotate(scene(1), LEVELS).labels == ("AU12 lip corner puller 0.90",)
    assert annotate(scene(1), {**LEVELS, 12: 0.95}).labels == ()
    assert len(annotate(scene(1), {}).active) == 1


def test_a_picture_keeps_its_size_and_what_is_not_drawn_on() -> None:
    bare = paint(Scene(frame(100)), LEVELS)
    assert bare.shape == (240, 320, 3)
    assert (bare == 100).all()
    drawn = paint(scene(100), LEVELS)
    changed = (drawn != 100).any(axis=2)
    # Bars to the left, the face from 99 to 227, arrows 8 pixels beyond.
    assert changed[:, :72].all()
    assert not changed[:, 240:].any()
    assert not changed[200:, 73:].any()


def test_a_bar_is_as_long_as_its_probability() -> None:
    def lit(smile: float) -> int:
        big = Frame(1, 1, read_only(np.full((960, 1280), 100, np.uint8)))
        base = scene(1)
        assert base.activation is not None
        probability = np.zeros_like(base.activation.probability)
        probability[8] = smile
        seen = replace(base.activation, probability=read_only(probability))
        painted = paint(Scene(big, None, seen), LEVELS)
        return int((painted == BLUE).all(axis=2).any(axis=0).sum())

    assert lit(0.6) == pytest.approx(0.6 * 156, abs=4)
    assert lit(1.0) == pytest.approx(156, abs=4)
    assert lit(0.4) == 0


def test_arrows_are_amber_and_point_where_the_skin_went() -> None:
    seen = Scene(frame(0), step(1, across=0.3), None)
    painted = paint(seen, LEVELS).astype(int)
    away = np.abs(painted - AMBER).sum(axis=2)
    for tail, head in annotate(seen, LEVELS).arrows:
        x, y = np.round((tail + head) / 2).astype(int)
        assert away[y - 1 : y + 2, x].min() < 200
        assert head[0] - tail[0] == pytest.approx(0.3 * 2.0 * MAGNIFIED)
        # Behind its tail the face is as it was.
        assert (painted[y, round(tail[0]) - 2] == 0).all()


@pytest.mark.parametrize("size", [(48, 64), (1080, 1920)])
def test_any_size_can_be_painted(size: tuple[int, int]) -> None:
    picture = Frame(1, 1, read_only(np.zeros(size, np.uint8)))
    assert paint(Scene(picture, step(1), scene(1).activation), LEVELS).shape == (*size, 3)
