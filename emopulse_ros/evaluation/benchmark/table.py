"""The benchmark's figures as Markdown: what a person reads and a documentation shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emopulse_ros.evaluation.benchmark.clips import BENCHMARK_VERSION
from emopulse_ros.evaluation.benchmark.conditions import CLEAN
from emopulse_ros.evaluation.benchmark.goals import goals
from emopulse_ros.evaluation.benchmark.run import SAME_CLIPS, Results
from emopulse_ros.evaluation.benchmark.scores import Score, per_minute
from emopulse_ros.evaluation.benchmark.stretches import STRETCHES
from emopulse_ros.evaluation.bootstrap import Figure
from emopulse_ros.evaluation.report import number
from emopulse_ros.facs import unit

MAIN = ("macro-F1", "frame F1", "PR-AUC", "event F1", "onset to alarm, ms", "never alarmed",
        "false alarms a minute", "calibration error")  # fmt: skip


def as_markdown(results: Results) -> str:
    """All tables, with a heading each."""
    plan, main = results.plan, results.main
    sources = dict.fromkeys(clip.source for clip in plan.clips)
    kinds = [clip.kind for clip in plan.clips]
    clean = results.scores[main, CLEAN]
    parts = [
        f"# Benchmark, version {BENCHMARK_VERSION}: {main}",
        f"{len(plan.clips)} clips that nobody was trained on ({' and '.join(sources)}): "
        f"{kinds.count('micro')} with micro-expressions, {kinds.count('quiet')} without. Square "
        "brackets hold 95% intervals by bootstrap over clips.",
        "## Goals",
        _goals(results),
        "## Models, clean",
        _table(
            ("model", *MAIN),
            ([one.name, *_figures(results.scores[one.name, CLEAN])] for one in results.contenders),
        ),
        f"## {main}, by source",
        _table(
            ("source", *MAIN),
            ([source, *_figures(results.by_source[main, source])] for source in sources),
        ),
        f"## {main}, unit by unit",
        _units(clean),
        f"## {main}, false alarms by what the face was doing",
        _stretches(clean),
    ]
    if plan.conditions:
        parts += ["## Corrupted", _conditions(results)]
    return "\n\n".join(parts) + "\n"


def _goals(results: Results) -> str:
    main = results.main
    rows = []
    for goal in goals(results.scores[main, CLEAN], results.corrupted(main)):
        said = {True: "yes", False: "no", None: "not measured"}[goal.reached]
        limit = f"{'at least' if goal.at_least else 'at most'} {goal.goal:g}"
        rows.append([goal.name, limit, number(goal.value, 3), said])
    return _table(("figure", "goal", main, "reached"), rows)


def _figures(score: Score) -> list[str]:
    return [
        _sure(score.macro_f1),
        _sure(score.f1),
        number(score.precision),
        _sure(score.event_f1),
        _sure(score.delay_ms, 0),
        _percent(score.never),
        _sure(score.false_alarms, 1),
        _sure(score.calibration, 3),
    ]


def _units(score: Score) -> str:
    rows = [
        [
            f"{unit(code).label} {unit(code).name}",
            _sure(Figure(score.unit_f1[a], *score.unit_f1_interval[a])),
            *(
                number(values[a], digits)
                for values, digits in (
                    (score.unit_macro_f1, 2),
                    (score.unit_precision, 2),
                    (score.unit_event_f1, 2),
                    (score.unit_calibration, 3),
                )
            ),
        ]
        for a, code in enumerate(score.codes)
    ]
    names = ("unit", "frame F1", "macro-F1", "PR-AUC", "event F1", "calibration error")
    return _table(names, rows)


def _stretches(score: Score) -> str:
    rates = per_minute(score.stretches)
    rows = [
        [name, f"{seconds:.0f}", f"{alarms:.0f}", number(rate, 1)]
        for name, (alarms, seconds), rate in zip(STRETCHES, score.stretches, rates, strict=True)
    ]
    return _table(("stretch", "seconds", "false alarms", "a minute"), rows)


def _conditions(results: Results) -> str:
    """Each condition for the main model and, beside it, the first one it is compared with."""
    pair = [one.name for one in results.contenders[:2]]
    rows = []
    for name, level in (
        (SAME_CLIPS, ""),
        *((one.name, f"{one.level:g} {one.unit}") for one in results.plan.conditions),
    ):
        scores = [results.scores[contender, name] for contender in pair]
        row = [name.replace("_", " "), level]
        row += [text for s in scores for text in (_sure(s.macro_f1), _sure(s.event_f1))]
        first = scores[0]
        row += [number(first.delay_ms.value, 0), number(first.false_alarms.value, 1),
                number(first.calibration.value, 3), _percent(first.coverage)]  # fmt: skip
        rows.append(row)
    measured = [f"{name}: {what}" for name in pair for what in ("macro-F1", "event F1")]
    last = ("onset to alarm, ms", "false alarms a minute", "calibration error", "coverage")
    return _table(("condition", "level", *measured, *last), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sure(figure: Figure, digits: int = 2) -> str:
    low, high = number(figure.low, digits), number(figure.high, digits)
    return f"{number(figure.value, digits)} [{low}, {high}]"


def _percent(share: float) -> str:
    return "-" if share != share else f"{100.0 * share:.0f}%"
