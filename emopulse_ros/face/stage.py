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

ANSWER_AFTER_MS = 40.0
"""Stream time after which a look's answer is used, whenever it was ready; then comes the next."""

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

    def __init__(self, face_id: int, mesh: Mesh, frame: Frame, weight: NDArray[np.float32]) -> None:
        self.face_id = face_id
        self.misses = 0
        self.region = mesh.region
        self._weight = weight
        self._size = 2 * weight.shape[0]
        self.aligned = similarity(mesh.points, self._size)
        self.correction: Matrix = np.eye(2, 3)
        source = Source(frame.image, self.aligned, self._size)
        self.take_key(source.warp(self.aligned), frame.stamp)

    @property
    def to_image(self) -> Matrix:
        return compose(self.aligned, self.correction)

    def take_key(self, crop: NDArray[np.uint8], stamp: int) -> None:
        """Follow this crop from now on, which is the present one."""
        self.key = Key(crop, self._weight)
        self.key_stamp = stamp
        self.aligned = self.to_image
        self.correction = np.eye(2, 3)

    def follow(self, frame: Frame) -> tuple[Source, float]:
        """Align to the key picture; return the frame, ready to be warped, and the likeness."""
        source = Source(frame.image, self.aligned, self._size)
        self.aligned, likeness = self.key.align(source, self.aligned)
        return source, likeness

    def correct(self, mesh: Mesh, seen_from: Matrix) -> bool:
        """Move the crop a little towards where the mesh saw the face, or return False: too far.

        ``seen_from`` is where the crop was when the mesh looked.
        """
        self.misses = 0
        self.region = mesh.region
        error = compose(invert(seen_from), similarity(mesh.points, self._size))
        middle = np.full(2, (self._size - 1) / 2)
        shift = error[:, :2] @ middle + error[:, 2] - middle
        scale, turn = error[0, 0] - 1.0, error[1, 0]
        reach = float(np.hypot(*shift)) + self._size / 4 * (abs(scale) + abs(turn))
        if reach > LOST:
            return False
        gain = FAR_GAIN if reach > FAR else GAIN
        linear = np.array([[1 + gain * scale, -gain * turn], [gain * turn, 1 + gain * scale]])
        step = np.column_stack([linear, middle - linear @ middle + gain * shift])
        self.correction = compose(self.correction, step)
        return True


class FaceStage:
    """Follows one face, the largest when it starts.

    ``look`` finds a face mesh in a picture and runs ``beside`` the stream; every frame between is
    aligned to a key picture of the same face. ``status`` says in words how it stands.
    """

    def __init__(self, look: LookFunction, beside: Beside[Mesh | None], *, size: int = 128) -> None:
        self.status = "looking for a face"
        self.beside = beside
        self._look = look
        self._size = size
        self._weight = bone_mask(size // 2)
        self._held: _Held | None = None
        self._faces = 0
        self._asked: tuple[Frame, Matrix | None] | None = None
        self._last_stamp: int | None = None

    def __call__(self, frame: Frame) -> FaceCrop | None:
        """Return the face's crop in this frame, or None and the reason in ``status``."""
        last = self._last_stamp
        if last is not None and not 0 < frame.stamp - last <= GAP_MS * 1e6:
            self._forget()
        self._last_stamp = frame.stamp
        held = self._held
        followed = held.follow(frame) if held else None
        self._answer(frame)
        if self._held is None:
            self._ask(frame)
            return None
        if self._held is not held or followed is None:
            followed = self._held.follow(frame)
        source, likeness = followed
        self._ask(frame)
        return self._crop(frame, self._held, source, likeness)

    def _crop(self, frame: Frame, held: _Held, source: Source, likeness: float) -> FaceCrop | None:
        to_image = held.to_image
        image = source.warp(to_image)
        if frame.stamp - held.key_stamp > REKEY_MS * 1e6 and likeness >= LIKENESS:
            held.take_key(image, frame.stamp)
        if likeness < LIKENESS:
            self.status = "the face is hidden or moves too fast"
            return None
        self.status = "following a face"
        return FaceCrop(
            frame.stamp,
            frame.sequence,
            held.face_id,
            read_only(image),
            read_only(to_image),
            frame.frame_id,
        )

    def _ask(self, frame: Frame) -> None:
        """Have a look at this frame, if it is time to."""
        if self._asked is not None or self.beside.busy:
            return
        held = self._held
        self.beside.ask(partial(self._look, frame.image, held.region if held else None))
        self._asked = (frame, held.to_image if held else None)

    def _answer(self, frame: Frame) -> None:
        """Take the answer to the last look, if it is due on this frame."""
        if self._asked is None or frame.stamp - self._asked[0].stamp < ANSWER_AFTER_MS * 1e6:
            return
        seen, seen_from = self._asked
        self._asked = None
        there, mesh = self.beside.take()
        if not there:
            return
        held = self._held
        if mesh is None:
            self._miss()
        elif held is None or seen_from is None:
            self._faces += 1
            self._held = _Held(self._faces, mesh, seen, self._weight)
        elif not held.correct(mesh, seen_from):
            # Whatever follows would read the jump as motion of the skin: start clean instead.
            self._held = None
            self.status = "the face moved too fast to follow"

    def _miss(self) -> None:
        held = self._held
        if held is None:
            self.status = "no face in view"
            return
        held.misses += 1
        if held.misses >= MISSES:
            self._held = None
            self.status = "the face has left the view"

    def _forget(self) -> None:
        """After a hole in the stream nothing that was known still holds."""
        self._held = None
        self._asked = None
        self.beside.forget()
