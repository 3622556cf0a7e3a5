"""The face stage: from a camera's frame to crops in which the faces hold still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from emopulse_ros.face.align import Matrix
from emopulse_ros.face.beside import Beside
from emopulse_ros.face.held import Held
from emopulse_ros.face.look import LookFunction, Seen
from emopulse_ros.face.mesh import Mesh, Region
from emopulse_ros.face.template import bone_mask
from emopulse_ros.stream import FaceCrop, Frame

ANSWER_AFTER_MS = 40.0
"""Stream time after which a look's answer is used, whenever it was ready; then comes the next."""

SEARCH_MS = 400.0
"""Between two searches of the whole picture for more faces than those that are followed, unless
one of them has just been lost."""

CROWDED_SEARCH_MS = 2000.0
"""The same while all places are taken: a search keeps a core busy for 6 to 11 ms, and whoever
stands in front of another stays for longer than this."""

LARGER = 1.3
"""How many times as large as the smallest face that is followed a newcomer must be to take its
place. Two that are nearly as large do not take turns: sizes are sure to a few percent only, and
the other one would have to grow by as much to come back."""

MISSES = 3
"""Looks in a row without a face after which it is gone."""

CHANGED_MS = 500.0
"""How long a face that the mesh finds may not look like itself: then it has changed, or the light
has. Long enough for a hand to pass by, and short enough for the face to keep its id."""

GAP_MS = 100.0
"""A hole in the stream after which nothing is known about the faces any more."""

REMEMBERED_MS = 1000.0
"""How long a face that is gone keeps its id, should it come back where it was."""

QUIET_MS = 65.0
"""Least hole in the crops of a face that comes back, so that the flow starts clean."""


@dataclass(frozen=True, slots=True)
class _Gone:
    """A face that was lost: where and when it was seen last."""

    face_id: int
    region: Region
    last_seen: int


class FaceStage:
    """Follows up to ``most`` faces, the largest first.

    One that comes when no more are followed takes the smallest one's place if it is clearly larger.

    ``look`` finds face meshes in a picture and runs ``beside`` the stream; every frame between is
    aligned to a key picture of the same face. ``status`` says in words how it stands. A face that
    is lost for less than a second and comes back where it was keeps its ``face_id``.
    """

    def __init__(
        self, look: LookFunction, beside: Beside[Seen], *, size: int = 128, most: int = 1
    ) -> None:
        self.status = "looking for a face"
        self.beside = beside
        self.most = most
        """How many faces are followed at most; when it is lowered the smallest are let go."""
        self._look = look
        self._weight = bone_mask(size // 2)
        self._held: list[Held] = []
        self._gone: list[_Gone] = []
        self._faces = 0
        self._question: Callable[[], Seen] | None = None
        self._asked: tuple[Frame, list[tuple[Held, Matrix]]] | None = None
        self._searched = 0
        self._turn = 0
        self._last_stamp: int | None = None
        self._size: tuple[int, ...] = ()

    def __call__(self, frame: Frame) -> list[FaceCrop]:
        """The crops of the faces in this frame; if there is none, ``status`` says why."""
        self.begin_look()
        last = self._last_stamp
        size = frame.image.shape
        if (last is not None and not 0 < frame.stamp - last <= GAP_MS * 1e6) or size != self._size:
            self._forget()
        self._last_stamp, self._size = frame.stamp, size
        while len(self._held) > self.most:
            self._let_go(self._smallest())
        before = list(self._held)
        for held in before:
            held.follow(frame)
        self._answer(frame)
        for held in self._held:
            if held not in before:
                held.follow(frame)
        self._ask(frame)
        crops = [crop for held in self._held if (crop := held.crop(frame)) is not None]
        if crops:
            count = len(crops)
            self.status = "following a face" if count == 1 else f"following {count} faces"
        elif any(held.hidden for held in self._held):
            self.status = "the face is hidden or moves too fast"
        return crops

    def one(self, frame: Frame) -> FaceCrop | None:
        """The crop of the one face that is followed, if it is seen in this frame."""
        return next(iter(self(frame)), None)

    @property
    def following(self) -> int:
        """How many faces were seen in the last frame."""
        return sum(not held.hidden for held in self._held)

    def _ask(self, frame: Frame) -> None:
        """Have a look at this frame, if it is time to."""
        if self._asked is not None or self.beside.busy:
            return
        free = self.most - len(self._held)
        wanted = max(free, 1) if self._is_searching(frame.stamp, free) else 0
        if wanted > 0:
            self._searched = frame.stamp
        asked = self._held if wanted else self._in_turn()
        regions = [held.region for held in asked]
        self._question = partial(self._look, frame.image, regions, wanted)
        self._asked = frame, [(held, held.to_image) for held in asked]

    def begin_look(self) -> None:
        """Begin the look that the last frame asked for, if it did and it has not begun.

        Call it when all else is done with a frame: the look then has a processor until the next
        one comes. The next frame begins it otherwise.
        """
        question, self._question = self._question, None
        if question is not None:
            self.beside.ask(question)

    def _in_turn(self) -> list[Held]:
        """Which faces to look at again: one after the other, all of them while one is missing.

        A look takes 1.7 ms a face, in which the frames of two processors find one of them busy.
        """
        if any(held.misses for held in self._held):
            return self._held
        self._turn = (self._turn + 1) % len(self._held)
        return [self._held[self._turn]]

    def _is_searching(self, stamp: int, free: int) -> bool:
        """Whether it is time to search the whole picture, with so many places ``free``."""
        missed = any(stamp - gone.last_seen < REMEMBERED_MS * 1e6 for gone in self._gone)
        if not self._held or (free and missed):
            return True
        return stamp - self._searched >= (SEARCH_MS if free else CROWDED_SEARCH_MS) * 1e6

    def _answer(self, frame: Frame) -> None:
        """Take the answer to the last look, if it is due on this frame."""
        if self._asked is None or frame.stamp - self._asked[0].stamp < ANSWER_AFTER_MS * 1e6:
            return
        looked_at, asked = self._asked
        self._asked = None
        there, seen = self.beside.take()
        if not there or seen is None:
            return
        for (held, seen_from), mesh in zip(asked, seen.again, strict=True):
            if held in self._held:
                self._take_notice(held, mesh, seen_from, frame.stamp)
        self._part()
        for mesh in seen.others:
            if self._has_place_for(mesh.region):
                self._held.append(self._newly_held(mesh, looked_at))
        if not asked and not seen.others:
            self.status = "no face in view"

    def _take_notice(self, held: Held, mesh: Mesh | None, seen_from: Matrix, stamp: int) -> None:
        if mesh is None:
            held.misses += 1
            if held.misses >= MISSES:
                self._let_go(held)
                self.status = "the face has left the view"
        elif not held.correct(mesh, seen_from):
            # Whatever follows would read the jump as motion of the skin: start clean instead.
            self._let_go(held)
            self.status = "the face moved too fast to follow"
        elif held.hidden and stamp - held.last_seen > CHANGED_MS * 1e6:
            # The face is there and looks otherwise: it is found again as it looks now.
            self._let_go(held)

    def _part(self) -> None:
        """Let go of whoever follows another one's face, which the mesh has slipped over to."""
        for held in reversed(list(self._held)):
            others = [other for other in self._held if other is not held and not other.misses]
            if any(other.region.holds(held.region.middle) for other in others):
                self._let_go(held)

    def _has_place_for(self, region: Region) -> bool:
        """Whether a newcomer can be followed: a clearly smaller face is let go for it."""
        if any(held.region.holds(region.middle) for held in self._held):
            return False
        if len(self._held) < self.most:
            return True
        smallest = self._smallest()
        if region.size < LARGER * smallest.region.size:
            return False
        self._let_go(smallest)
        return True

    def _smallest(self) -> Held:
        return min(self._held, key=lambda held: held.region.size)

    def _newly_held(self, mesh: Mesh, frame: Frame) -> Held:
        """Hold a face from now on: one that was here a moment ago, or a new one."""
        oldest = frame.stamp - REMEMBERED_MS * 1e6
        self._gone = [gone for gone in self._gone if gone.last_seen >= oldest]
        for gone in self._gone:
            if gone.region.is_near(mesh.region):
                self._gone.remove(gone)
                quiet_until = gone.last_seen + round(QUIET_MS * 1e6)
                return Held(gone.face_id, mesh, frame, self._weight, quiet_until)
        self._faces += 1
        return Held(self._faces, mesh, frame, self._weight)

    def _let_go(self, held: Held) -> None:
        self._held.remove(held)
        self._gone.append(_Gone(held.face_id, held.region, held.last_seen))

    def _forget(self) -> None:
        """After a hole in the stream, or a change of its size, nothing known still holds."""
        self._held.clear()
        self._gone.clear()
        self._asked = self._question = None
        self.beside.forget()
        self.status = "looking for a face"
