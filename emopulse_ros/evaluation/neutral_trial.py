"""What a neutral face that follows its person buys, and what it costs.

``python -m emopulse_ros.evaluation.neutral_trial`` prints it, after some minutes. Synthetic faces
are seen from their neutral face on, and from the middle of a smile on, as when somebody comes up
smiling: the first picture is then no neutral face. Each is read with a neutral face that adapts and
with its first picture in its place. And smiles are held: an expression must not be taken for the
neutral face.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from emopulse_ros.detection.detector import Detector
from emopulse_ros.detection.engine import Engine
from emopulse_ros.evaluation.metrics import mean
from emopulse_ros.evaluation.pieces import together
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.report import score
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.facs import INDEX
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.pipeline import Pipeline, event_finder, face_stage, open_engine
from emopulse_ros.synthesis.habits import MICRO, write_script
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.scene import filmed
from emopulse_ros.synthesis.script import MILLISECOND, SECOND, Movement, Script

SMILE = (12, 25)
SEEDS = range(7_100_000, 7_100_008)
"""Of faces that are in no other set."""
LENGTH = 24 * SECOND
SELDOM = replace(MICRO, pause_ms=(1_500.0, 5_000.0))
"""Micro-expressions with rests between them, as in life: only a face at rest can be taken anew."""
UNSEEN = SECOND
"""What passes before the first frame that is seen."""


def smiling(script: Script) -> Script:
    """The same, but at first the face smiles, until shortly after it is first seen."""
    smile = held_smile(0, 1_900)
    later = tuple(one for one in script.movements if one.onset > smile.offset)
    return replace(script, movements=(smile, *later))


def held_smile(start: int, length: int) -> Movement:
    """A smile that comes in 400 ms, is held, and goes in 600; ``start`` and ``length`` in ms."""
    times = (start, start + 400, start + length)
    onset, apex, offset = (time * MILLISECOND for time in times)
    return Movement(
        "macro", SMILE, ((0.8, 0.8),) * 2, onset, apex, offset, (length - 1_000) * MILLISECOND
    )


def read(seed: int, script: Script, engine: Engine, *, adapts: bool) -> Recording:
    """What a model says of a face."""
    frames = filmed(PortraitScene.varied(seed, script), script.duration)
    seen = islice(frames, UNSEEN // (5 * MILLISECOND), None)
    recorder, recipe = Recorder(), engine.card.recipe
    face, flow = face_stage(recipe, live=False), FlowStage(recipe, adapts=adapts)
    with Pipeline(face, flow, Detector(engine), event_finder(engine)) as pipeline:
        for _, outcome in pipeline.outcomes(seen):
            if outcome.activation is not None:
                recorder.add(outcome.activation)
            recorder.add_event(outcome.event)
        recorder.add_event(pipeline.events.flush())
    return recorder.recording()


def begun(engine: Engine, first: str, *, adapts: bool) -> str:
    """Scores of faces that are first seen ``neutral`` or ``smiling``, in a line."""
    reports = []
    for seed in SEEDS:
        script = write_script(seed, LENGTH, SELDOM)
        script = smiling(script) if first == "smiling" else script
        recording = read(seed, script, engine, adapts=adapts)
        reports.append(score(recording, truth_of(script), thresholds=engine.card.levels))
    whole = together(reports)
    return (
        f"{first:<16}{'adapts' if adapts else 'first picture':<15}"
        f"{mean(whole.counts.f1[reports[0].expressive]):8.2f}{whole.events.f1:11.2f}"
        f"{whole.events.false_alarms_per_minute:12.1f}"
    )


def held(engine: Engine, length: int, *, known: bool, adapts: bool) -> float:
    """In which share of its hold, of ``length`` ms, a smile is seen.

    It is the first that is seen of that face, or, if its neutral face is ``known``, one that
    comes after another.
    """
    seen = []
    earlier = (held_smile(1_500, 2_000),) if known else ()
    start = 5_500 if known else 2_000
    for seed in SEEDS:
        smile = held_smile(start, length + 1_000)
        base = write_script(seed, (start + length + 2_000) * MILLISECOND, MICRO)
        script = replace(base, movements=(*earlier, smile))
        recording = read(seed, script, engine, adapts=adapts)
        within = (recording.stamp > smile.apex) & (recording.stamp < smile.apex + smile.hold)
        alarms = recording.alarms(engine.card.levels)
        seen.append(alarms[within, INDEX[SMILE[0]]].mean())
    return float(np.mean(seen))


def main() -> None:
    """Print both tables."""
    engine = open_engine()
    print("first seen      neutral face   frame F1   event F1   false alarms a minute")
    for first in ("neutral", "smiling"):
        for adapts in (True, False):
            print(begun(engine, first, adapts=adapts), flush=True)
    print("\na smile held for   is seen for: adapts, the same after another smile, first picture")
    for length in (2_000, 4_000, 8_000, 12_000):
        shares = [
            held(engine, length, known=known, adapts=adapts)
            for known, adapts in ((False, True), (True, True), (False, False))
        ]
        first, later, never = (f"{share:.0%}" for share in shares)
        print(f"{length / 1000:14.0f} s{first:>21}{later:>26}{never:>15}", flush=True)


if __name__ == "__main__":
    main()
