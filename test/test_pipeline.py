"""The stages in a row, on real faces and on the synthetic camera."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.camera import open_camera
from emopulse_ros.facs import BLINK
from emopulse_ros.pipeline import Outcome, Pipeline, build
from emopulse_ros.stream import Frame

FACES = Path(os.environ.get("EMOPULSE_FACES", Path(__file__).parents[2] / "shared" / "faces"))


def faces(name: str) -> str:
    path = FACES / name
    if not path.is_file():
        pytest.skip(f"{name} is not there: set EMOPULSE_FACES to the folder that holds it")
    return f"video:{path}"


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with build() as stages:
        yield stages


def outcomes(stages: Pipeline, spec: str, **options: float) -> list[Outcome]:
    with open_camera(spec, **options) as camera:
        return [stages(frame) for frame in camera]


def test_two_runs_from_one_seed_are_bit_identical() -> None:
    runs = []
    for _ in range(2):
        with build() as stages:
            runs.append(outcomes(stages, "synthetic:7", duration=2.0))
    first, second = runs
    assert sum(outcome.activation is not None for outcome in first) > 350
    for one, other in zip(first, second, strict=True):
        assert (one.activation is None) == (other.activation is None)
        if one.activation is not None and other.activation is not None:
            assert one.activation.probability.tobytes() == other.activation.probability.tobytes()
            assert one.activation.intensity.tobytes() == other.activation.intensity.tobytes()
            assert one.activation.attention == other.activation.attention
        assert (one.event is None) == (other.event is None)


def test_every_frame_of_a_face_is_answered_with_its_own_stamp(pipeline: Pipeline) -> None:
    with open_camera("synthetic:1", duration=1.0) as camera:
        for frame in camera:
            outcome = pipeline(frame)
            if frame.sequence >= 8:
                assert outcome.activation is not None, outcome.status
                assert outcome.activation.stamp == frame.stamp
                assert outcome.activation.sequence == frame.sequence
    assert pipeline.late == 0


def test_no_face_no_activation_and_the_reason(pipeline: Pipeline) -> None:
    seen = outcomes(pipeline, faces("no_face.mp4"), rate=200.0)
    assert len(seen) > 90
    assert all(outcome.activation is None for outcome in seen)
    assert seen[-1].status == "no face in view"


def test_a_smile_lifts_the_corners_and_parts_the_lips_together(pipeline: Pipeline) -> None:
    """A real face, played at 200 frames a second; a person sees the smile break out at once."""
    seen = outcomes(pipeline, faces("single_face.mp4"), rate=200.0)
    said = [outcome.activation for outcome in seen if outcome.activation is not None]
    # The lips first move in the 9th picture, a person sees it in the 10th.
    lips_move = 8
    levels = pipeline.detector.engine.card.levels
    level = np.array([levels[code] for code in said[0].codes])
    active = np.array([one.probability for one in said]) >= level
    codes = list(said[0].codes)
    corners, lips = (active[:, codes.index(code)] for code in (12, 25))
    for part in (corners, lips):
        assert lips_move <= part.argmax() <= lips_move + 4
        # And the smile is held to the end.
        assert part[part.argmax() :].mean() > 0.9
    # Within 10 ms: nobody sees which was first.
    assert abs(int(corners.argmax()) - int(lips.argmax())) <= 2
    # No brow is lowered; that cheeks which are lifted look a little like it is known.
    assert active[:, codes.index(4)].mean() < 1 / 3
    expressive = [place for place, code in enumerate(codes) if code != BLINK]
    assert not active[: lips_move - 2, expressive].any()


def test_it_starts_when_the_face_appears(pipeline: Pipeline) -> None:
    seen = outcomes(pipeline, faces("noface_face.mov"), rate=200.0)
    first = next(k for k, outcome in enumerate(seen) if outcome.activation is not None)
    # The face is there from frame 96 on.
    assert 96 <= first <= 120
    assert sum(outcome.activation is not None for outcome in seen[first:]) > 55


def test_a_face_that_comes_back_starts_clean(pipeline: Pipeline) -> None:
    with open_camera("synthetic:3", duration=1.0) as camera:
        frames = list(camera)
    empty = np.full_like(frames[0].image, 100)
    empty.flags.writeable = False
    order = [frame.image for frame in frames[:60]] + [empty] * 60
    order += [frame.image for frame in frames[:60]]
    seen = [
        pipeline(Frame(number * 5_000_000, number, image)) for number, image in enumerate(order)
    ]
    before, gap, after = seen[:60], seen[70:120], seen[140:]
    assert all(outcome.activation is None for outcome in gap)
    assert {outcome.crop.face_id for outcome in before if outcome.crop} == {1}
    assert {outcome.crop.face_id for outcome in after if outcome.crop} == {1}
    # The same pictures from a clean start: the same flow.
    first = [outcome.step for outcome in before if outcome.step]
    again = [outcome.step for outcome in seen[120:] if outcome.step]
    assert again[0].restarted
    assert not first[0].data.any()
    assert not again[0].data.any()
