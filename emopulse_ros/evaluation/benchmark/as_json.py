"""Everything the benchmark found, as plain data; see docs/benchmark.md for what the keys mean."""

from __future__ import annotations

from typing import Any

from emopulse_ros.evaluation.benchmark.clips import BENCHMARK_VERSION
from emopulse_ros.evaluation.benchmark.conditions import CLEAN
from emopulse_ros.evaluation.benchmark.goals import goals
from emopulse_ros.evaluation.benchmark.run import Results
from emopulse_ros.evaluation.benchmark.scores import Score, per_minute
from emopulse_ros.evaluation.benchmark.stretches import STRETCHES
from emopulse_ros.evaluation.bootstrap import Figure
from emopulse_ros.evaluation.report import plain
from emopulse_ros.facs import unit


def as_json(results: Results) -> dict[str, Any]:
    """Results as ``json`` can write them; what is undefined is null."""
    plan = results.plan
    return {
        "benchmark_version": BENCHMARK_VERSION,
        "clips": [
            {
                "name": clip.name,
                "source": clip.source,
                "kind": clip.kind,
                "seed": clip.seed,
                "corrupted": clip.corrupted,
            }
            for clip in plan.clips
        ],
        "conditions": {
            one.name: {"level": one.level, "unit": one.unit, "meaning": one.meaning}
            for one in plan.conditions
        },
        "main": results.main,
        "models": {
            one.name: {
                "sha256": one.engine.model_hash or None,
                "card_name": one.engine.card.name,
                "trained_on": one.engine.card.trained_on,
            }
            for one in results.contenders
        },
        "goals": [
            {
                "name": goal.name,
                "goal": goal.goal,
                "at_least": goal.at_least,
                "value": plain(goal.value),
                "reached": goal.reached,
            }
            for goal in goals(results.scores[results.main, CLEAN], results.corrupted(results.main))
        ],
        "scores": _nested(results.scores),
        "clean_by_source": _nested(results.by_source),
    }


def _nested(scores: dict[tuple[str, str], Score]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (contender, condition), score in scores.items():
        nested.setdefault(contender, {})[condition] = _score(score)
    return nested


def _score(score: Score) -> dict[str, Any]:
    true, found, hits = score.events
    return {
        "clips": score.clips,
        "frames": score.frames,
        "coverage": plain(score.coverage),
        "frame_f1": _figure(score.f1),
        "macro_f1": _figure(score.macro_f1),
        "pr_auc": plain(score.precision),
        "calibration_error": _figure(score.calibration),
        "event_f1": _figure(score.event_f1),
        "events": {"true": true, "found": found, "hits": hits},
        "onset_to_alarm_ms": _figure(score.delay_ms),
        "never_alarmed": plain(score.never),
        "false_alarms_per_minute": _figure(score.false_alarms),
        "stretches": {
            name: {
                "false_alarms": int(alarms),
                "seconds": plain(seconds),
                "per_minute": plain(rate),
            }
            for name, (alarms, seconds), rate in zip(
                STRETCHES, score.stretches, per_minute(score.stretches), strict=True
            )
        },
        "units": {
            unit(code).label: {
                "frame_f1": {
                    "value": plain(score.unit_f1[index]),
                    "low": plain(score.unit_f1_interval[index, 0]),
                    "high": plain(score.unit_f1_interval[index, 1]),
                },
                "macro_f1": plain(score.unit_macro_f1[index]),
                "pr_auc": plain(score.unit_precision[index]),
                "event_f1": plain(score.unit_event_f1[index]),
                "calibration_error": plain(score.unit_calibration[index]),
            }
            for index, code in enumerate(score.codes)
        },
    }


def _figure(figure: Figure) -> dict[str, float | None]:
    return {name: plain(value) for name, value in figure._asdict().items()}
