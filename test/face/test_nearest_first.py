"""Whoever stands nearest is followed, though somebody behind was there first; from pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")

from emopulse_ros.camera import open_camera
from emopulse_ros.face.stage import CROWDED_SEARCH_MS
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.pipeline import face_stage
from emopulse_ros.stream import FaceCrop, Frame, read_only

KEPT = 40
COMES = 200
"""Frame with which the second face comes, 1 s after the first one."""

SECONDS = 4
Panels = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def panels() -> Panels:
    """Pictures of two people side by side, each in its half."""
    with open_camera("synthetic:7x2", duration=1.0) as camera:
        return [frame.image for frame in islice(camera, KEPT)]


def filmed(panels: Panels, first: float, second: float) -> Iterator[Frame]:
    """Two people in one room, the second one comes later; how large each is in its half."""
    for number in range(SECONDS * 200):
        place = number % (2 * KEPT - 2)
        panel = panels[min(place, 2 * KEPT - 2 - place)]
        room = np.full((360, 640), 110, np.uint8)
        room[:, 320:] = shrunk(panel[:, 320:], first)
        if number >= COMES:
            room[:, :320] = shrunk(panel[:, :320], second)
        yield Frame(number * 5_000_000, number, read_only(room))


def shrunk(panel: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The same person further away, in the middle of an empty half."""
    small = cv2.resize(panel, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    half = np.full_like(panel, 110)
    top, left = [(whole - part) // 2 for whole, part in zip(half.shape, small.shape, strict=True)]
    half[top : top + small.shape[0], left : left + small.shape[1]] = small
    return half


def followed(frames: Iterator[Frame], most: int = 1) -> list[list[FaceCrop]]:
    stage = face_stage(FlowRecipe(), live=False, most=most)
    try:
        return [stage(frame) for frame in frames]
    finally:
        stage.beside.close()


def is_second(crop: FaceCrop) -> bool:
    x, _ = crop.to_image @ [63.5, 63.5, 1.0]
    return bool(x < 320)


def bytes_of(crops: Sequence[Sequence[FaceCrop]]) -> list[tuple[int, int, bytes, bytes]]:
    return [
        (crop.stamp, crop.face_id, crop.image.tobytes(), crop.to_image.tobytes())
        for each in crops
        for crop in each
    ]


def test_who_comes_nearer_takes_the_place_of_who_is_far_away(panels: Panels) -> None:
    crops = followed(filmed(panels, 0.8, 1.0))
    seen = [each[0] for each in crops if each]
    assert all(len(each) <= 1 for each in crops)
    assert not is_second(seen[0])
    assert is_second(seen[-1])
    ids = [(crop.face_id, is_second(crop)) for crop in seen]
    # One change, and whoever comes is somebody new.
    assert sorted(set(ids)) == [(1, False), (2, True)]
    assert ids == sorted(ids)
    change = next(crop for crop in seen if is_second(crop))
    first = next(crop for crop in seen)
    assert change.stamp - first.stamp <= (CROWDED_SEARCH_MS + 100.0) * 1e6
    assert bytes_of(crops) == bytes_of(followed(filmed(panels, 0.8, 1.0)))


def test_who_is_as_large_takes_nobodys_place(panels: Panels) -> None:
    # The second one's face is 1.4 times as large as the first one's where neither is shrunk.
    crops = followed(filmed(panels, 1.0, 0.8))
    assert {(crop.face_id, is_second(crop)) for each in crops for crop in each} == {(1, False)}


def test_with_room_for_both_nobody_goes(panels: Panels) -> None:
    crops = followed(filmed(panels, 0.8, 1.0), most=2)
    assert sorted((crop.face_id, is_second(crop)) for crop in crops[-1]) == [(1, False), (2, True)]
