"""The face stage: from a camera's frame to a crop in which the face holds still."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.align import Key, Matrix, Source, compose, invert
from emopulse_ros.face.beside import Beside
from emopulse_ros.face.mesh import Mesh, Region
from emopulse_ros.face.template import bone_mask, similarity
from emopulse_ros.stream import FaceCrop, Frame, read_only

LOOK_EVERY_MS = 40.0
"""Stream time between two looks of the face mesh."""

ANSWER_AFTER_MS = 40.0
"""Stream time after which a look's answer is used, whenever it was ready."""

SETTLE_LOOKS = 2
"""Looks that a new face must pass before its crops are handed on."""

GAIN = 0.08
"""Share of the mesh's correction taken at each look: its jitter must not shake the crop."""

FAR = 4.0
"""Correction in crop pixels beyond which the crop is moved faster, by ``FAR_GAIN``."""

FAR_GAIN = 0.3

LOST = 16.0
"""Correction in crop pixels that can only mean that the crop has lost the face."""

LIKENESS = 0.5
"""Correlation with the key picture below which the crop is not trusted."""

REKEY_MS = 1000.0
"""Age of the key picture at which a new one is taken."""

MISSES = 3
"""Looks in a row without a face after which it is gone."""

GAP_MS = 100.0
"""A hole in the stream after which nothing is known about the face any more."""

LookFunction = Callable[[NDArray[np.uint8], Region | None], Mesh | None]


class _Held:
    """A face that is being followed: where its key picture lies now, and the slow correction."""

    def __init__(self, face_id: int) -> None:
        self.face_id = face_id
        self.key: Key | None = None
        self.key_stamp = 0
        self.aligned: Matrix = np.eye(2, 3)
        self.correction: Matrix = np.eye(2, 3)
        self.looks = 0
        self.misses = 0
        self.region: Region | None = None

    @property
    def to_image(self) -> Matrix:
        return compose(self.aligned, self.correction)


class FaceStage:
    """Follows one face, the largest when it starts.

    ``look`` finds a face mesh in a picture and runs ``beside`` the stream; every frame between is
    aligned to a key picture of the same face. ``status`` says in words how it stands.
    """

    def __init__(self, look: LookFunction, beside: Beside[Mesh | None], *, size: int = 128) -> None:
        self.status = "no frame yet"
        self._look = look
        self._beside = beside
        self._size = size
        self._weight = bone_mask(size // 2)
        self._held: _Held | None = None
        self._faces = 0
        self._asked: tuple[int, Matrix | None] | None = None
        self._last_ask: int | None = None
        self._last_stamp: int | None = None

    def __call__(self, frame: Frame) -> FaceCrop | None:
        """Return the face's crop in this frame, or None and the reason in ``status``."""
        last = self._last_stamp
        if last is not None and not 0 < frame.stamp - last <= GAP_MS * 1e6:
            self._forget()
        self._last_stamp = frame.stamp
        held = self._held
        source = None
        likeness = 1.0
        if held is not None and held.key is not None:
            source = Source(frame.image, held.aligned, self._size)
            held.aligned, likeness = held.key.align(source, held.aligned)
        self._answer(frame)
        self._ask(frame)
        return self._crop(frame, source, likeness)

    def _crop(self, frame: Frame, source: Source | None, likeness: float) -> FaceCrop | None:
        held = self._held
        if held is None:
            return None
        if source is None or held.key is None:
            source = Source(frame.image, held.to_image, self._size)
        image = source.warp(held.to_image)
        age = frame.stamp - held.key_stamp
        if held.key is None or age > REKEY_MS * 1e6:
            self._take_key(held, image, frame.stamp)
        if held.looks < SETTLE_LOOKS:
            self.status = "a face is coming into view"
            return None
        if likeness < LIKENESS:
            self.status = "the face is hidden or moves too fast"
            return None
        self.status = "following a face"
        return FaceCrop(
            frame.stamp,
            frame.sequence,
            held.face_id,
            read_only(image),
            read_only(held.to_image),
            frame.frame_id,
        )

    def _ask(self, frame: Frame) -> None:
        due = self._last_ask is None or frame.stamp - self._last_ask >= LOOK_EVERY_MS * 1e6
        if not due or self._asked is not None or self._beside.busy:
            return
        held = self._held
        region = held.region if held else None
        self._beside.ask(partial(self._look, frame.image, region))
        self._asked = (frame.stamp, held.to_image if held else None)
        self._last_ask = frame.stamp

    def _answer(self, frame: Frame) -> None:
        """Take the answer to a look, if it is due on this frame."""
        if self._asked is None or frame.stamp - self._asked[0] < ANSWER_AFTER_MS * 1e6:
            return
        to_image = self._asked[1]
        self._asked = None
        there, mesh = self._beside.take()
        if not there:
            return
        held = self._held
        if mesh is None:
            self._miss()
        elif held is None or to_image is None:
            self._meet(mesh)
        else:
            self._correct(held, mesh, to_image, frame)

    def _meet(self, mesh: Mesh) -> None:
        self._faces += 1
        held = _Held(self._faces)
        held.aligned = similarity(mesh.points, self._size)
        held.region = mesh.region
        self._held = held

    def _miss(self) -> None:
        held = self._held
        if held is None:
            self.status = "no face in view"
            return
        held.misses += 1
        if held.misses >= MISSES:
            self._held = None
            self.status = "the face has left the view"

    def _correct(self, held: _Held, mesh: Mesh, to_image: Matrix, frame: Frame) -> None:
        """Move the crop a little towards where the mesh saw the face."""
        held.misses = 0
        held.looks += 1
        held.region = mesh.region
        error = compose(invert(to_image), similarity(mesh.points, self._size))
        middle = np.full(2, (self._size - 1) / 2)
        shift = error[:, :2] @ middle + error[:, 2] - middle
        scale = error[0, 0] - 1.0
        turn = error[1, 0]
        reach = float(np.hypot(*shift)) + self._size / 4 * (abs(scale) + abs(turn))
        settling = held.looks <= SETTLE_LOOKS
        if reach > LOST and not settling:
            # Whatever follows would read the jump as motion of the skin: start clean instead.
            self._meet(mesh)
            return
        gain = 1.0 if settling else FAR_GAIN if reach > FAR else GAIN
        linear = np.array([[1 + gain * scale, -gain * turn], [gain * turn, 1 + gain * scale]])
        step = np.column_stack([linear, middle - linear @ middle + gain * shift])
        held.correction = compose(held.correction, step)
        if settling:
            image = Source(frame.image, held.to_image, self._size).warp(held.to_image)
            self._take_key(held, image, frame.stamp)

    def _take_key(self, held: _Held, image: NDArray[np.uint8], stamp: int) -> None:
        held.aligned = held.to_image
        held.correction = np.eye(2, 3)
        held.key = Key(image, self._weight)
        held.key_stamp = stamp

    def _forget(self) -> None:
        """After a hole in the stream: nothing that was known still holds."""
        self._held = None
        if self._asked is not None:
            self._beside.take()
        self._asked = None
        self._last_ask = None
