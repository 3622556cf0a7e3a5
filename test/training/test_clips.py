"""What the faces of training clips do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.face.look import Look
from emopulse_ros.synthesis.habits import SLIGHT, VIVID
from emopulse_ros.synthesis.script import MILLISECOND, Movement
from emopulse_ros.training.clips import FRAME, Clip, make_clip, portrait
from emopulse_ros.training.scripts import LENGTHS, Kind, script_of

KINDS: tuple[Kind, ...] = ("natural", "crowded", "slight", "quiet", "vivid")
SEEDS = range(40)


def movements(kind: Kind) -> Iterator[Movement]:
    for seed in SEEDS:
        yield from script_of(seed, kind).movements


@pytest.mark.parametrize("kind", KINDS)
def test_a_script_is_that_of_its_seed_and_as_long_as_its_kind(kind: Kind) -> None:
    script, again, other = script_of(3, kind), script_of(3, kind), script_of(4, kind)
    assert script.duration == LENGTHS[kind]
    assert script.movements == again.movements
    assert script.turns == again.turns
    assert np.array_equal(script.sway, again.sway)
    assert script.movements != other.movements


def test_a_quiet_face_has_no_micro_expression_but_all_else() -> None:
    assert {move.kind for move in movements("quiet")} == {"macro", "speech", "blink"}


def test_slight_units_are_all_that_expresses() -> None:
    expressions = {m.aus for m in movements("slight") if m.kind in ("micro", "macro")}
    assert expressions == set(SLIGHT)


def test_vivid_expressions_are_large_sudden_and_whole() -> None:
    large = [move for move in movements("vivid") if move.kind == "macro"]
    small = [move for move in movements("vivid") if move.kind == "micro"]
    assert {move.aus for move in large} <= set(VIVID)
    assert len(large) > 2 * len(small) > 0
    assert all(move.apex - move.onset <= 200 * MILLISECOND for move in large)
    assert all(max(max(sides) for sides in move.strength) > 0.34 for move in large)
    assert (6, 12, 25) in {move.aus for move in large}


def test_a_vivid_clip_is_seen_by_the_real_stages(tmp_path: Path) -> None:
    clip = make_clip(1, portrait(), Look(), "vivid")
    assert clip is not None
    assert len(clip) == pytest.approx(LENGTHS["vivid"] / FRAME, rel=0.1)
    moved = np.abs(clip.motion.astype(np.float32)).max(axis=(1, 2, 3))
    active = clip.active.any(axis=1)
    assert moved[active].max() > moved[~active].min()
    clip.save(tmp_path / "one.npz")
    kept = Clip.load(tmp_path / "one.npz")
    for name in Clip.__slots__:
        assert np.array_equal(getattr(kept, name), getattr(clip, name))
