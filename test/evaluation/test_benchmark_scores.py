"""The benchmark's figures, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.benchmark.clips import Clip
from emopulse_ros.evaluation.benchmark.contenders import AlwaysActive
from emopulse_ros.evaluation.benchmark.evidence import Evidence, evidence
from emopulse_ros.evaluation.benchmark.goals import goals
from emopulse_ros.evaluation.benchmark.play import Played
from emopulse_ros.evaluation.benchmark.scores import Score, score
from emopulse_ros.evaluation.benchmark.stretches import STRETCHES, false_alarms, kinds_at
from emopulse_ros.evaluation.recording import Recorder
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.truth import Span, event_truth, frame_truth
from emopulse_ros.facs import BLINK, CODES, INDEX
from emopulse_ros.pipeline import event_finder
from emopulse_ros.stream import Activation
from emopulse_ros.synthesis.script import Movement, Script, Turn

MS = 1_000_000
CARD = Card("test", "step")
STAMPS = np.arange(0, 6000, 5) * MS
FIRST = Clip("portrait", "micro", 0, True)
QUIET = Clip("portrait", "quiet", 0, True)


def played(clip: Clip, probability: np.ndarray, card: Card = CARD) -> Played:
    """What a model says that gives these probabilities, one row for each 5 ms."""
    engine = AlwaysActive(card)
    engine.card = card
    events, recorder = event_finder(engine), Recorder()
    for sequence, row in enumerate(probability):
        activation = Activation(
            sequence * 5 * MS, sequence, 1, CODES, np.float32(row),
            np.zeros(len(CODES), np.float32), 1.0, card.name, "",
        )  # fmt: skip
        recorder.add(activation)
        recorder.add_event(events(activation))
    recorder.add_event(events.flush())
    return Played(clip, "clean", card.name, len(STAMPS), recorder.recording())


def perfect(clip: Clip) -> np.ndarray:
    """Probabilities of one who knows the script, the blinks as well."""
    return 0.02 + 0.96 * frame_truth(truth_of(clip.script()), STAMPS)


def of(*pieces: Evidence) -> Score:
    """The score of these pieces of evidence."""
    return score(pieces, CODES)


def test_the_constant_scores_what_the_share_of_active_frames_says() -> None:
    engine = AlwaysActive(CARD)
    reading, _ = engine.step(np.zeros((9, 64, 64), np.float32), engine.first_state())
    always = np.tile(engine.card.probability(reading.logits), (len(STAMPS), 1))
    result = of(evidence(played(FIRST, always, engine.card), engine.card))
    share = frame_truth(truth_of(FIRST.script()), STAMPS).mean(axis=0)
    occurs = (share > 0.0) & (np.array(CODES) != BLINK)
    f1 = 2.0 * share / (1.0 + share)
    assert result.unit_f1 == pytest.approx(f1)
    assert result.f1.value == pytest.approx(f1[occurs].mean())
    # Nothing is ever called at rest, so that half of the macro-F1 is zero.
    assert result.macro_f1.value == pytest.approx(f1[occurs].mean() / 2.0)
    assert result.unit_precision[occurs] == pytest.approx(share[occurs])
    assert result.unit_calibration == pytest.approx(1.0 - share, abs=1e-6)
    # An alarm that never ends is no event, and one that was there before tells of no onset.
    assert result.events == (len(event_truth(truth_of(FIRST.script()))), 0, 0)
    assert result.event_f1.value == 0.0
    assert result.never == 1.0


def test_one_who_knows_the_script_reaches_every_goal() -> None:
    pieces = [evidence(played(clip, perfect(clip)), CARD) for clip in (FIRST, QUIET)]
    result = of(*pieces)
    assert result.macro_f1.value == result.event_f1.value == result.coverage == 1.0
    assert result.delay_ms.value <= 5.0
    assert result.false_alarms.value == 0.0
    assert [goal.reached for goal in goals(result, [result])] == [True] * 7
    without = [goal.reached for goal in goals(result, [])]
    assert without.count(None) == 2


def test_a_face_that_was_never_found_costs_its_events() -> None:
    nothing = evidence(played(FIRST, np.zeros((0, len(CODES)))), CARD)
    result = of(nothing)
    assert result.coverage == 0.0
    assert result.event_f1.value == 0.0
    assert result.never == 1.0
    assert np.isnan(result.macro_f1.value)


def test_an_event_of_one_unit_is_scored_for_that_unit_alone() -> None:
    seen = perfect(FIRST)
    code = event_truth(truth_of(FIRST.script()))[0].aus[0]
    seen[:, INDEX[code]] = 0.02
    result = of(evidence(played(FIRST, seen), CARD))
    assert result.unit_event_f1[INDEX[code]] == 0.0
    assert result.unit_f1[INDEX[code]] == 0.0
    others = [a for a, f1 in enumerate(result.unit_event_f1) if CODES[a] != code and f1 == 1.0]
    assert others


def movement(kind: str, code: int, onset: int, offset: int) -> Movement:
    """A movement with times in ms."""
    times = (onset * MS, (onset + offset) // 2 * MS, offset * MS)
    return Movement(kind, (code,), ((0.5, 0.5),), *times)  # type: ignore[arg-type]


QUIETLY = Script(
    0,
    6000 * MS,
    (
        movement("macro", 12, 1000, 2000),
        movement("speech", 25, 1500, 2500),
        movement("blink", 45, 5000, 5200),
    ),
    np.zeros((6, 1, 3)),
    turns=(
        Turn("yaw", 0.1, 3000 * MS, 3200 * MS, 3300 * MS, 3500 * MS),
        Turn("gaze_yaw", 0.1, 3400 * MS, 3430 * MS, 3900 * MS, 4000 * MS),
    ),
)


def test_time_is_given_to_what_moves_most() -> None:
    stamps = np.array([500, 1200, 1700, 2200, 3100, 3450, 3700, 5100]) * MS
    names = [STRETCHES[kind] for kind in kinds_at(QUIETLY, stamps)]
    assert names == ["neutral", "macro", "macro", "speech", "head", "head", "gaze", "blink"]


def test_false_alarms_are_counted_by_what_the_face_was_doing() -> None:
    found = [
        Span(begin * MS, begin * MS, end * MS, (4,))
        for begin, end in ((100, 200), (1900, 2100), (2100, 2200), (2300, 2400), (4900, 5050))
    ]
    table = dict(zip(STRETCHES, false_alarms(QUIETLY, STAMPS, found), strict=True))
    alarms = {name: int(row[0]) for name, row in table.items()}
    assert alarms == {"macro": 1, "speech": 2, "head": 0, "gaze": 0, "blink": 1, "neutral": 1}
    seconds = {name: row[1] for name, row in table.items()}
    assert seconds["macro"] == pytest.approx(1.0, abs=0.01)
    assert seconds["speech"] == pytest.approx(0.5, abs=0.01)
    assert seconds["gaze"] == pytest.approx(0.5, abs=0.01)
    assert sum(seconds.values()) == pytest.approx(5.995)


def test_nobody_watched_in_a_hole() -> None:
    stamps = np.concatenate([STAMPS[:100], STAMPS[900:]])
    assert false_alarms(QUIETLY, stamps, [])[:, 1].sum() == pytest.approx(1.995 + 0.06 - 0.005)


def test_false_alarms_per_minute_are_those_of_quiet_clips() -> None:
    seen = np.full((len(STAMPS), len(CODES)), 0.02)
    seen[40:60, INDEX[4]] = 0.9
    quiet = evidence(played(QUIET, seen), CARD)
    micro = evidence(played(FIRST, seen), CARD)
    assert not micro.stretches.any()
    assert of(quiet, micro).false_alarms.value == pytest.approx(60.0 / 5.995)


def noisy(clip: Clip, spread: float, seed: int) -> Evidence:
    """What comes of one who knows the script, but stammers."""
    noise = np.random.default_rng(seed).normal(0.0, spread, (len(STAMPS), len(CODES)))
    return evidence(played(clip, np.clip(perfect(clip) + noise, 0.0, 1.0)), CARD)


def test_the_same_evidence_gives_the_figures_it_always_gave() -> None:
    another, quieter = Clip("portrait", "micro", 3, True), Clip("portrait", "quiet", 1, True)
    alarmed = np.full((len(STAMPS), len(CODES)), 0.02)
    alarmed[40:60, INDEX[4]] = 0.9
    result = of(
        evidence(played(FIRST, perfect(FIRST)), CARD),
        noisy(FIRST, 0.4, 0),
        noisy(FIRST, 0.3, 1),
        noisy(another, 0.3, 2),
        noisy(QUIET, 0.25, 3),
        evidence(played(quieter, alarmed), CARD),
    )
    for figure, known in (
        (result.f1, (0.4638783825245551, 0.28882442059211716, 0.7280380010794004)),
        (result.macro_f1, (0.7163276919691759, 0.6161411340250461, 0.856640828269347)),
        (result.calibration, (0.096921329853861, 0.05289320413017517, 0.12961783170085536)),
        (result.event_f1, (0.4166666666666667, 0.0, 0.8275862068965517)),
        (result.delay_ms, (2.188801, 1.607662, 2.188801)),
        (result.false_alarms, (5.004170141784872, 0.0, 10.008340283569716)),
    ):
        assert figure == pytest.approx(known, rel=1e-12)
    assert result.unit_f1_interval[INDEX[1]] == pytest.approx(
        (0.4760820045558087, 0.8958990536277602), rel=1e-12
    )
    assert result.events == (17, 7, 5)


def test_intervals_come_of_drawing_clips_again() -> None:
    good, bad = evidence(played(FIRST, perfect(FIRST)), CARD), noisy(FIRST, 0.4, 0)
    alike, mixed = of(good, good, good), of(good, good, bad)
    assert alike.macro_f1.low == alike.macro_f1.high == 1.0
    assert mixed.macro_f1.low < mixed.macro_f1.value < mixed.macro_f1.high == 1.0
    assert mixed.macro_f1 == of(good, good, bad).macro_f1
