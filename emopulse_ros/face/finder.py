"""Find faces anywhere in a picture: BlazeFace (Bazarevsky et al., 2019), short range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.weights import FaceModel

SCORE = 0.6
"""Least score of a detection. BlazeFace gives faces 0.75 and up, and most clutter below 0.5."""

LEAST_SIDE = 48.0
"""Least side of a face in pixels. On a smaller one an action unit moves too little to be seen."""

_STRIDES = ((8, 2), (16, 6))


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face as BlazeFace sees it, in pixels of the picture.

    ``box`` is (left, top, right, bottom); ``eyes`` ``(2, 2) float32`` the middle of the person's
    right and left eye.
    """

    box: tuple[float, float, float, float]
    eyes: NDArray[np.float32]
    score: float

    @property
    def side(self) -> float:
        """The longer side of the box in pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


class FaceFinder:
    """BlazeFace on the whole picture; sees faces of about a tenth of its width and up."""

    def __init__(self) -> None:
        self._model = FaceModel("face_detection_front.tflite")
        self._anchors = _anchors(self._model.input_side)

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Faces in ``(H, W) uint8``, the largest first."""
        height, width = image.shape
        side = self._model.input_side
        extent = max(height, width)
        square = np.zeros((side, side), np.uint8)
        scale = side / extent
        fitting = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, fitting, interpolation=cv2.INTER_AREA)
        top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
        square[top : top + small.shape[0], left : left + small.shape[1]] = small
        boxes, scores = self._model.run(square.astype(np.float32) / 127.5 - 1.0)
        if boxes.shape[-1] == 1:
            boxes, scores = scores, boxes
        score = 1.0 / (1.0 + np.exp(-np.clip(scores[0, :, 0], -80.0, 80.0)))
        keep = np.flatnonzero(score >= SCORE)
        found = []
        for index in _strongest(boxes[0][keep], score[keep], self._anchors[keep]):
            raw = boxes[0, keep[index]].reshape(8, 2)
            anchor = self._anchors[keep[index]]
            centre, size = raw[0] + anchor, raw[1]
            corners = np.concatenate([centre - size / 2, centre + size / 2]).reshape(2, 2)
            points = np.concatenate([corners, raw[2:4] + anchor])
            points = (points - (left, top)) / scale
            low, high = points[0], points[1]
            box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            detection = Detection(box, points[2:4].astype(np.float32), float(score[keep[index]]))
            if detection.side >= LEAST_SIDE:
                found.append(detection)
        return sorted(found, key=lambda detection: -detection.side)


def _anchors(side: int) -> NDArray[np.float32]:
    """Centres of BlazeFace's anchors in input pixels, ``(896, 2) float32``."""
    rows = []
    for stride, repeat in _STRIDES:
        cells = side // stride
        y, x = np.mgrid[0:cells, 0:cells].astype(np.float32)
        centres = np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5
        rows.append(np.repeat(centres * stride, repeat, axis=0))
    return np.concatenate(rows)


def _strongest(
    boxes: NDArray[np.float32], scores: NDArray[np.floating[Any]], anchors: NDArray[np.float32]
) -> list[int]:
    """Indices that survive non-maximum suppression (overlap of more than 0.3)."""
    if not len(boxes):
        return []
    corners = boxes[:, :2] + anchors - boxes[:, 2:4] / 2
    rectangles = np.concatenate([corners, boxes[:, 2:4]], axis=1)
    kept = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), SCORE, 0.3)
    return [int(index) for index in np.asarray(kept).ravel()]
