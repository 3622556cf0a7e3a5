"""The flow stage as a whole."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from emopulse_ros.flow.recipe import FlowRecipe, RecipeError
from emopulse_ros.flow.stage import CALM, FlowStage
from emopulse_ros.stream import FaceCrop

from .test_dense import crop

MS = 1_000_000


def face(number: int, face_id: int = 1, right: float = 0.0, ms: float = 5.0) -> FaceCrop:
    matrix = np.array([[2.0, 0.0, 10.0], [0.0, 2.0, 20.0]])
    return FaceCrop(round(number * ms * MS), number, face_id, crop(right, 0.0), matrix)


def smile(number: int, far: float) -> FaceCrop:
    """The skin about the mouth is so far to the right, in pixels of the crop."""
    rows, columns = np.indices((128, 128), np.float32)
    bump = np.exp(-((columns - 64.0) ** 2 + (rows - 96.0) ** 2) / (2 * 16.0**2))
    still = face(number).image
    moved = cv2.remap(still, columns - np.float32(far) * bump, rows, cv2.INTER_CUBIC)
    return replace(face(number), image=moved)


def test_a_step_names_its_channels_and_cannot_be_written_to() -> None:
    step = FlowStage()(face(0))
    assert step.channels == FlowRecipe().channels
    assert step.channels[:3] == ("u_40", "v_40", "strain_40")
    assert step.data.shape == (9, 64, 64)
    assert step.data.dtype == np.float32
    assert not step.data.flags.writeable
    assert not step.to_image.flags.writeable


def test_grid_pixels_lie_between_crop_pixels() -> None:
    step = FlowStage()(face(0))
    # Grid pixel (0, 0) covers crop pixels 0 and 1: its middle is (0.5, 0.5), at twice the scale.
    np.testing.assert_allclose(step.to_image @ [0.0, 0.0, 1.0], [11.0, 21.0])
    np.testing.assert_allclose(step.to_image @ [1.0, 0.0, 1.0], [15.0, 21.0])


def test_it_starts_clean_with_a_new_face_and_after_a_hole() -> None:
    stage = FlowStage()
    assert stage(face(0)).restarted
    assert not stage(face(1, right=1.0)).restarted
    other = stage(face(2, face_id=2))
    assert other.restarted
    assert not other.data.any()
    assert stage(face(50, face_id=2)).restarted
    assert stage(face(49, face_id=2)).restarted


def test_a_crop_of_another_size_is_refused() -> None:
    small = FaceCrop(0, 0, 1, np.zeros((96, 96), np.uint8), np.eye(2, 3))
    with pytest.raises(ValueError, match="128 pixels square"):
        FlowStage()(small)


def test_a_recipe_survives_the_model_file() -> None:
    recipe = FlowRecipe(baselines_ms=(20.0, 80.0), neutral=False)
    assert FlowRecipe.from_text(recipe.as_text()) == recipe


def test_an_unknown_method_is_refused() -> None:
    text = FlowRecipe(method="farneback").as_text()
    with pytest.raises(RecipeError, match="'farneback'"):
        FlowRecipe.from_text(text)


def test_a_missing_entry_is_named() -> None:
    text = FlowRecipe().as_text()
    del text["flow_grid"]
    with pytest.raises(RecipeError, match="flow_grid"):
        FlowRecipe.from_text(text)


def test_a_neutral_face_that_does_not_adapt_stays_the_first_picture() -> None:
    stages = [FlowStage(adapts=adapts) for adapts in (True, False)]
    for number in range(600):
        # It rests a little, but not where it began.
        seen = face(number, right=0.0 if number < 3 else 0.3)
        for stage in stages:
            stage(seen)
    assert stages[0].neutral_motion.any()
    assert not stages[1].neutral_motion.any()


def test_what_is_followed_is_seen_however_far_it_goes() -> None:
    stage = FlowStage()
    for number in range(41):
        step = stage(smile(number, 0.3 * number))
    leap = FlowStage()
    leap(smile(0, 0.0))
    at_once = leap(smile(1, 0.3 * 40))
    # Twelve pixels of the crop, six of the grid, where the bump is at its height.
    high = step.channels.index("u_neutral"), slice(44, 52), slice(28, 36)
    assert step.data[high].mean() > 0.85 * 6.0
    assert at_once.data[high].mean() < 0.7 * 6.0


def test_what_went_wrong_once_is_soon_forgotten() -> None:
    straight, disturbed = FlowStage(), FlowStage()
    hand = np.random.default_rng(5).integers(0, 256, (128, 128), np.uint8)
    apart = []
    for number in range(100):
        crop = smile(number, 2.0 if number else 0.0)
        steps = straight(crop), disturbed(replace(crop, image=hand) if 9 < number < 20 else crop)
        apart.append(np.abs(steps[0].data[6:8] - steps[1].data[6:8]).mean())
    assert apart[19] > 0.2
    assert apart[-1] < 0.02


@pytest.mark.parametrize("kind", ["noise", "flashes", "stripes"])
def test_nonsense_does_not_run_away(kind: str) -> None:
    stage, random = FlowStage(), np.random.default_rng(7)
    rows, columns = np.indices((128, 128))
    for number in range(150):
        if kind == "noise":
            image = random.integers(0, 256, (128, 128), np.uint8)
        elif kind == "flashes":
            image = np.full((128, 128), 255 * (number % 2), np.uint8)
        else:
            image = (((columns + rows + 5 * number) // 4 % 2) * 255).astype(np.uint8)
        step = stage(replace(face(number), image=image))
        assert np.isfinite(step.data).all()
        assert np.abs(step.data[6:8]).max() < 64.0


def test_a_resting_face_is_taken_anew_on_a_noisy_picture() -> None:
    random, still = np.random.default_rng(3), face(0).image
    stage, adapted = FlowStage(), 0
    for number in range(400):
        grain = random.normal(0.0, 25.0, still.shape)
        noisy = np.clip(still + grain, 0, 255).astype(still.dtype)
        step = stage(replace(face(number), image=noisy))
        adapted += stage.neutral_motion.any()
        if number == 100:
            # So noisy that without knowing it one would call it motion.
            apart = np.sqrt((step.data[3:5] ** 2).sum(axis=0).mean())
    assert apart > CALM
    assert adapted
