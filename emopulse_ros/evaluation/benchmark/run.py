"""The whole benchmark: every clip in several processes, scored for every contender."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.benchmark.answer_cache import AnswerCache
from emopulse_ros.evaluation.benchmark.clips import Clip, MakeScene, scene_maker
from emopulse_ros.evaluation.benchmark.conditions import CLEAN, Condition
from emopulse_ros.evaluation.benchmark.contenders import Contender, Entry, opened
from emopulse_ros.evaluation.benchmark.evidence import Evidence, evidence
from emopulse_ros.evaluation.benchmark.play import play
from emopulse_ros.evaluation.benchmark.scores import Score, score
from emopulse_ros.evaluation.workers import workers

SAME_CLIPS = "clean, same clips"
"""The clean condition once more, on the clips that are shown under corruptions."""

Told = Callable[[float], None]
"""Is told from time to time which share of the work is done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. The first of ``entries`` is the model it is all about; with ``keep``, what the
    models answer is kept in that folder, and what is kept there already is not asked again."""

    clips: tuple[Clip, ...]
    conditions: tuple[Condition, ...]
    entries: tuple[Entry, ...]
    face_kit: Path | None = None
    keep: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What came of it: scores by contender and condition, and by contender and source, clean."""

    plan: Plan
    contenders: tuple[Contender, ...]
    scores: dict[tuple[str, str], Score]
    by_source: dict[tuple[str, str], Score]

    @property
    def main(self) -> str:
        """The name of the model it is all about."""
        return self.plan.entries[0].name

    def corrupted(self, contender: str) -> list[Score]:
        """A contender's scores under each condition but the clean one."""
        return [self.scores[contender, condition.name] for condition in self.plan.conditions]


class _Workshop:
    """What a process needs for every clip, made once."""

    def __init__(self, plan: Plan) -> None:
        self._conditions = plan.conditions
        self._make_scene: MakeScene = scene_maker(plan.face_kit)
        self._contenders = opened(plan.entries)
        self._cache = AnswerCache(plan.keep, plan.face_kit) if plan.keep else None

    def work(self, clip: Clip) -> list[tuple[str, str, Evidence]]:
        """Contender, condition and evidence of all there is to one clip."""
        cards: dict[str, Card] = {one.name: one.engine.card for one in self._contenders}
        return [
            (one.contender, one.condition, evidence(one, cards[one.contender]))
            for one in play(clip, self._conditions, self._contenders, self._make_scene, self._cache)
        ]


_workshop: _Workshop | None = None


def _open(plan: Plan) -> None:
    global _workshop
    # Ctrl-C at a terminal reaches every process: let this one go without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _workshop = _Workshop(plan)


def _work(clip: Clip) -> list[tuple[str, str, Evidence]]:
    assert _workshop is not None
    return _workshop.work(clip)


def run(plan: Plan, *, processes: int = 1, told: Told = lambda _: None) -> Results:
    """Run it; the same plan gives the same figures with any number of processes.

    :raises BenchmarkError: if the face kit's people cannot be rendered here.
    :raises ModelError: if a model is missing or not ours.
    :raises FaceModelError: if the face models are not installed.
    :raises OSError: if answers cannot be kept.
    """
    contenders = opened(plan.entries)
    scene_maker(plan.face_kit)  # What is wrong with it is better told here than by a process.
    gathered: dict[tuple[str, str], dict[Clip, Evidence]] = {}
    loads = {clip: 1 + len(plan.conditions) * clip.corrupted for clip in plan.clips}
    done, whole = 0, sum(loads.values())
    # The long ones first, so that the last process has not much left when the others are done.
    order = sorted(plan.clips, key=lambda clip: -loads[clip])
    for clip, results in _worked(plan, order, processes):
        for contender, condition, found in results:
            gathered.setdefault((contender, condition), {})[clip] = found
        done += loads[clip]
        told(done / whole)
    scores: dict[tuple[str, str], Score] = {}
    by_source: dict[tuple[str, str], Score] = {}
    for one in contenders:
        name, codes = one.name, one.engine.card.codes
        for shown in (CLEAN, *(condition.name for condition in plan.conditions)):
            kept = gathered.get((name, shown), {})
            every = [kept[clip] for clip in plan.clips if clip in kept]
            scores[name, shown] = score(every, codes)
            if shown == CLEAN:
                if plan.conditions:
                    same = [one for one in every if one.clip.corrupted]
                    scores[name, SAME_CLIPS] = score(same, codes)
                for source in dict.fromkeys(clip.source for clip in plan.clips):
                    of_it = [e for e in every if e.clip.source == source]
                    by_source[name, source] = score(of_it, codes)
    return Results(plan, contenders, scores, by_source)


def _worked(
    plan: Plan, order: Sequence[Clip], processes: int
) -> Iterator[tuple[Clip, list[tuple[str, str, Evidence]]]]:
    """Each clip and what came of it, as they are done."""
    if processes == 1:
        workshop = _Workshop(plan)
        yield from ((clip, workshop.work(clip)) for clip in order)
        return
    with workers(processes, _open, plan) as pool:
        waiting = {pool.submit(_work, clip): clip for clip in order}
        try:
            for future in as_completed(waiting):
                yield waiting.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
