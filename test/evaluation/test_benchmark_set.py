"""The benchmark's set: nobody in it was trained on, everything in it is as its names say."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.evaluation.benchmark import clips
from emopulse_ros.evaluation.benchmark.clips import BenchmarkError, Clip, scene_maker, the_set
from emopulse_ros.evaluation.benchmark.conditions import ALL, CAMERAS, Showing, chosen
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.truth import event_truth
from emopulse_ros.facs import BLINK, CODES
from emopulse_ros.synthesis.corruption import CORRUPTIONS
from emopulse_ros.synthesis.script import SECOND
from emopulse_ros.training.configuration import PARTS
from emopulse_ros.training.scripts import OTHERS

ROOT = Path(__file__).resolve().parents[2]
FACE_KIT = Path(os.environ.get("EMOPULSE_FACE_KIT", ROOT / "../shared/face_kit/ict_facekit.npz"))


def test_no_seed_is_one_of_training_validation_or_test() -> None:
    seeds = [clip.seed for clip in the_set()]
    assert len(set(seeds)) == len(seeds)
    starts = sorted(PARTS.values())
    width = min(np.diff(starts))
    for seed in seeds:
        # Scripts laid over each other in training have seeds a whole number of OTHERS further on.
        assert not any(start <= seed % OTHERS < start + width for start in starts), seed


def test_the_quick_part_and_a_single_source_are_parts_of_the_set() -> None:
    seeds = {clip.seed for clip in the_set()}
    assert {clip.seed for clip in the_set(quick=True)} < seeds
    portrait = the_set(["portrait"])
    assert {clip.seed for clip in portrait} < seeds
    assert {clip.source for clip in portrait} == {"portrait"}


def test_quiet_clips_hold_no_micro_expression_and_the_others_hold_every_unit() -> None:
    shown: dict[int, int] = dict.fromkeys(CODES, 0)
    kinds = set()
    for clip in the_set():
        script = clip.script()
        events = event_truth(truth_of(script))
        if clip.kind == "quiet":
            assert events == ()
            kinds |= {movement.kind for movement in script.movements}
            kinds |= {"gaze" if turn.axis.startswith("gaze") else "head" for turn in script.turns}
        for code in (code for event in events for code in event.aus):
            shown[code] += 1
    assert kinds == {"macro", "speech", "blink", "head", "gaze"}
    assert min(count for code, count in shown.items() if code != BLINK) >= 5


def test_conditions_are_chosen_by_name() -> None:
    assert chosen("none") == ()
    assert [one.name for one in chosen("all")] == [*CORRUPTIONS, *CAMERAS, "turned_head"]
    assert [one.name for one in chosen("jpeg, glasses")] == ["glasses", "jpeg"]
    with pytest.raises(BenchmarkError, match="nobody knows the corruption 'fog'"):
        chosen("jpeg,fog")


@pytest.fixture(scope="module")
def showing() -> Showing:
    return Showing(Clip("portrait", "micro", 0, True, 1_500_000_000), scene_maker(None))


def test_every_condition_changes_what_is_seen(showing: Showing) -> None:
    clean = list(showing.frames())
    assert [frame.stamp for frame in clean[:3]] == [0, 5_000_000, 10_000_000]
    assert len(clean) == 300
    for condition in ALL:
        for number, frame in enumerate(showing.frames(condition)):
            there = number < len(clean) and frame.stamp == clean[number].stamp
            if not there or not np.array_equal(frame.image, clean[number].image):
                break
        else:
            pytest.fail(f"{condition.name} shows what the clean clip shows")


@pytest.mark.parametrize(("name", "rate"), CAMERAS.items())
def test_other_cameras_have_other_rates(showing: Showing, name: str, rate: int) -> None:
    (camera,) = chosen(name)
    frames = list(showing.frames(camera))
    assert len(frames) == rate * 3 // 2
    assert frames[rate].stamp == SECOND


def test_the_face_kit_is_asked_for_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.npz|numba"):
        scene_maker(tmp_path / "gone.npz")


def test_rendered_people_differ_from_seed_to_seed() -> None:
    pytest.importorskip("numba", reason="numba is not installed (make test-training)")
    if not FACE_KIT.exists():
        pytest.skip(f"no face kit at {FACE_KIT} (EMOPULSE_FACE_KIT)")
    make = scene_maker(FACE_KIT)
    one, other = (Clip("rendered", "micro", number, False) for number in (0, 1))
    first, second = (make(clip, clip.script()).render(0) for clip in (one, other))
    assert np.array_equal(first, make(one, one.script()).render(0))
    assert not np.array_equal(first, second)


def test_the_version_goes_with_the_set() -> None:
    # Whoever changes what is in the set changes its version, and then this line.
    sizes = {clip.name: clip.seed for clip in the_set()}
    assert (clips.BENCHMARK_VERSION, len(sizes), sizes["rendered-quiet-29"]) == (3, 108, 903_029)
