"""Pictures whose size changes in mid-stream: from pixels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")

from emopulse_ros.camera import open_camera
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.pipeline import face_stage
from emopulse_ros.stream import FaceCrop, Frame, read_only

Picture = NDArray[np.uint8]
KEPT = 40
CHANGES = 60
"""Frame from which on the pictures are of another size."""


@pytest.fixture(scope="module")
def panels() -> list[Picture]:
    """Pictures of two people side by side, each in its half."""
    with open_camera("synthetic:7x2", duration=1.0) as camera:
        return [frame.image for frame in islice(camera, KEPT)]


def followed(panels: list[Picture], change: Callable[[Picture], Picture]) -> list[list[FaceCrop]]:
    """The crops of a stream that changes; the flow must take them as well."""
    stage = face_stage(FlowRecipe(), live=False, most=2)
    flows = [FlowStage(), FlowStage()]
    crops = []
    try:
        for number in range(CHANGES + 60):
            place = number % (2 * KEPT - 2)
            image = panels[min(place, 2 * KEPT - 2 - place)]
            if number >= CHANGES:
                image = read_only(np.ascontiguousarray(change(image)))
            crops.append(stage(Frame(number * 5_000_000, number, image)))
            for flow, crop in zip(flows, crops[-1], strict=False):
                flow(crop)
        return crops
    finally:
        stage.beside.close()


def middle(crop: FaceCrop) -> tuple[float, float]:
    x, y = crop.to_image @ [63.5, 63.5, 1.0]
    return float(x), float(y)


def test_who_is_seen_after_a_cut_is_nobody_who_was_there_before(panels: list[Picture]) -> None:
    """Places of the old picture say nothing of the new one: one could be taken for another."""
    crops = followed(panels, lambda image: image[:, 320:])
    assert sorted(crop.face_id for crop in crops[CHANGES - 1]) == [1, 2]
    assert {crop.face_id for each in crops[CHANGES:] for crop in each} == {3}
    assert {crop.frame_size for each in crops[CHANGES:] for crop in each} == {(320, 360)}


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_faces_are_found_again_where_they_are(panels: list[Picture], factor: float) -> None:
    crops = followed(panels, lambda image: cv2.resize(image, None, fx=factor, fy=factor))
    before, after = (sorted(middle(crop) for crop in crops[n]) for n in (CHANGES - 1, -1))
    np.testing.assert_allclose(np.array(after) / factor, before, atol=8.0)
    # As soon as a look can tell.
    assert all(len(each) == 2 for each in crops[CHANGES + 10 :])


@pytest.mark.parametrize("height", [1, 2, 8])
def test_a_picture_that_can_show_no_face_shows_none(panels: list[Picture], height: int) -> None:
    crops = followed(panels, lambda image: image[:height])
    assert not any(crops[CHANGES:])
