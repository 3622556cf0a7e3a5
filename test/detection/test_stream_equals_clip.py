"""The law of the two forms: step by step the same numbers as all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.detection.model import Card, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine, _State, open_session
from emopulse_ros.flow.recipe import FlowRecipe

WARM_UP = 15
"""Steps on which an answer may depend besides its own: 16 frames in all. All that it may know of
what was before them is how the face was at rest."""

REST = "state_4"
"""What is known of a face at rest."""


def flow(seed: int, time: int) -> NDArray[np.float32]:
    """Random flow that changes slowly: ``(C, T, H, W)``."""
    recipe = FlowRecipe()
    random = np.random.default_rng(seed)
    shape = (len(recipe.channels), time, recipe.grid, recipe.grid)
    return (0.3 * random.normal(size=shape).cumsum(axis=1) / 4.0).astype(np.float32)


def run(
    clip: NDArray[np.float32], rests: Sequence[Any] = ()
) -> tuple[tuple[NDArray[np.float32], ...], list[Any]]:
    """Logits ``(A, T)``, intensity ``(A, T)`` and attention ``(T,)`` step by step, and before each
    step what was known of the face at rest; ``rests`` are put in the place of the first of them."""
    engine = OnnxEngine(shipped_model())
    state = engine.first_state()
    readings, known = [], []
    for time in range(clip.shape[1]):
        if time < len(rests):
            state = with_rest(engine, state, rests[time])
        known.append(state.block.states[REST].numpy().copy())
        reading, state = engine.step(np.ascontiguousarray(clip[:, time]), state)
        readings.append(reading)
    answers = (
        np.stack([reading.logits for reading in readings], axis=1),
        np.stack([reading.intensity for reading in readings], axis=1),
        np.array([reading.attention for reading in readings], np.float32),
    )
    return answers, known


def with_rest(engine: OnnxEngine, state: Any, rest: NDArray[np.float32]) -> Any:
    """The same state, but for what is known of the face at rest."""
    other = _State(engine._new_block())
    for name, value in state.block.states.items():
        other.block.states[name].update_inplace(rest if name == REST else value.numpy())
    return other


def stream(clip: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """The answers alone."""
    return run(clip)[0]


def at_once(clip: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The same from the clip form."""
    session = open_session(shipped_model("clip"))
    return [output[0] for output in session.run(None, {"flow": clip[None]})]


@pytest.mark.parametrize("time", [1, 16, 60])
def test_from_the_first_step_on(time: int) -> None:
    clip = flow(time, time)
    for one, other in zip(stream(clip), at_once(clip), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("start", [1, 7, 30])
def test_past_the_warm_up_only_the_face_at_rest_is_remembered(start: int) -> None:
    clip = 0.2 * flow(5, start + 40)
    whole, known = run(clip)
    cut, _ = run(clip[:, start:], known[start : start + WARM_UP + 1])
    for one, other in zip(whole, cut, strict=True):
        np.testing.assert_allclose(one[..., start + WARM_UP :], other[..., WARM_UP:], atol=1e-5)


def test_a_face_is_known_after_some_rest() -> None:
    """Of a face that shows nothing the same flow is read differently in time."""
    still = np.repeat(0.02 * flow(8, 1), 400, axis=1)
    logits = stream(still)[0]
    settled = np.abs(logits[:, 399] - logits[:, 300]).max()
    assert np.abs(logits[:, 300] - logits[:, 20]).max() > 5.0 * settled


def test_the_past_matters() -> None:
    """Without it the law above would hold for a network that knows no time."""
    clip = flow(6, 40)
    whole, alone = stream(clip)[0], stream(clip[:, 39:])[0]
    assert np.abs(whole[:, -1] - alone[:, 0]).max() > 1e-3


def test_a_step_can_be_repeated() -> None:
    clip = flow(7, 3)
    engine = OnnxEngine(shipped_model())
    _, state = engine.step(np.ascontiguousarray(clip[:, 0]), engine.first_state())
    once, _ = engine.step(np.ascontiguousarray(clip[:, 1]), state)
    again, _ = engine.step(np.ascontiguousarray(clip[:, 1]), state)
    np.testing.assert_array_equal(once.logits, again.logits)


def test_a_state_outlives_the_steps_of_others() -> None:
    """Memory is used again when nobody refers to it any more, and not before."""
    clip = 0.3 * flow(9, 30)
    engine = OnnxEngine(shipped_model())
    steps = [np.ascontiguousarray(clip[:, time]) for time in range(clip.shape[1])]
    _, kept = engine.step(steps[0], engine.first_state())
    once, _ = engine.step(steps[1], kept)
    states = [kept, engine.first_state(), engine.first_state()]
    for step in steps:
        states = [engine.step(step, state)[1] for state in states]
    again, _ = engine.step(steps[1], kept)
    np.testing.assert_array_equal(once.logits, again.logits)
    # Those of three faces before a step and after it, and the one that was kept.
    assert len({*engine._free, kept.block, *(state.block for state in states)}) == 7


def test_both_files_are_one_model() -> None:
    step, clip = (
        Card.from_text(
            open_session(shipped_model(form)).get_modelmeta().custom_metadata_map,
            shipped_model(form),
        )
        for form in ("step", "clip")
    )
    assert (step.form, clip.form) == ("step", "clip")
    assert step.as_text() | {"form": ""} == clip.as_text() | {"form": ""}
