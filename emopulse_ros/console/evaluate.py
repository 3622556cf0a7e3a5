"""``emopulse evaluate``: a recording through the whole pipeline, held against its truth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from emopulse_ros.console.bad_input import BadInputError, check_folder, reading_input
from emopulse_ros.console.options import add_model, add_out
from emopulse_ros.console.progress import Progress
from emopulse_ros.console.show import complain, say

if TYPE_CHECKING:
    from emopulse_ros.camera import Camera
    from emopulse_ros.detection.engine import Engine
    from emopulse_ros.evaluation.assessment import Assessment
    from emopulse_ros.evaluation.timing import Timing

    Found = tuple[Assessment, dict[str, Timing]]
    """What came of a recording, and how the messages in its bag had come."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a bag (its folder, .mcap or .db3), a video file, a folder of images, a camera such "
        "as synthetic:7, or a data set: casme2:FOLDER, samm:, samm-long:, casme-squared:",
    )
    parser.add_argument(
        "--truth",
        metavar="FILE|TOPIC",
        help="labels: .csv, OpenFace's table, ELAN's .eaf or .txt, or a topic of the bag "
        "(default: the labels in the bag, if it has any)",
    )
    parser.add_argument("--topic", help="of the images, where a bag has several")
    parser.add_argument(
        "--recorded",
        action="store_true",
        help="score what was said while the bag was recorded, instead of reading it anew",
    )
    parser.add_argument(
        "--rate", type=float, metavar="FPS", help="frames per second of a video or a folder"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="only the first seconds")
    add_model(parser)
    add_out(parser, "out/evaluation", "the report and the tables")
    parser.add_argument(
        "--with-faces",
        action="store_true",
        help="show the face at the apex of each event in the report; mind whom you show it to",
    )
    parser.add_argument(
        "--bag", type=Path, metavar="DIR", help="write the results as a bag, too; it must not exist"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    from emopulse_ros.pipeline import open_engine

    if arguments.bag is not None and arguments.bag.exists():
        raise BadInputError(f"{arguments.bag} is there already: give --bag a name that is free")
    with reading_input():
        engine = open_engine(arguments.model)
        check_folder(arguments.out, "the report")
        name, _, root = arguments.source.partition(":")
        found, more = (
            _data_set(arguments, name, root)
            if name in _data_sets()
            else ([_recording(arguments, engine)], [])
        )
        told = _written(arguments, [one for one, _ in found], [how for _, how in found], engine)
    say([*_summary(found), *more, *told])
    notes = [note for one, _ in found for note in one.stream.notes]
    for note in notes:
        complain(note)
    return 0 if any(len(one.stream.stamps) for one, _ in found) and not notes else 2


def _data_sets() -> tuple[str, ...]:
    from emopulse_ros.evaluation.datasets import LOADERS

    return tuple(LOADERS)


def _recording(arguments: argparse.Namespace, engine: Engine) -> Found:
    from emopulse_ros.evaluation.assessment import assess, assess_recorded
    from emopulse_ros.evaluation.source import open_source
    from emopulse_ros.pipeline import build

    with ExitStack() as stack:
        source = open_source(
            arguments.source,
            arguments.topic,
            arguments.truth,
            rate=arguments.rate,
            duration=arguments.duration,
            recorded=arguments.recorded,
        )
        camera, know_truth = stack.enter_context(source.camera), source.know_truth
        if source.run is not None:
            seen = assess_recorded(camera, source.run, engine, know_truth)
            return seen, source.timing.figures
        pipeline = stack.enter_context(build(arguments.model))
        progress = stack.enter_context(Progress(_seconds(camera, arguments.duration)))
        faces = arguments.with_faces
        seen = assess(camera, pipeline, know_truth, with_faces=faces, on_frame=progress.at)
        return seen, source.timing.figures


def _data_set(arguments: argparse.Namespace, name: str, root: str) -> tuple[list[Found], list[str]]:
    """Each clip of a data set, with stages that know nothing of the others, and its scores."""
    from emopulse_ros.evaluation.assessment import assess
    from emopulse_ros.evaluation.clip_scores import clip_lines
    from emopulse_ros.evaluation.datasets import load
    from emopulse_ros.pipeline import build

    given = (arguments.truth, arguments.topic, arguments.recorded, arguments.rate, arguments.bag)
    if any(given):
        raise BadInputError(
            "a data set has a truth and a rate of its own and many clips: leave out --truth, "
            "--topic, --recorded, --rate and --bag"
        )
    data_set = load(name, Path(root).expanduser())
    clips, summary = data_set.clips, data_set.summary
    say(summary.lines())
    found: list[Found] = []
    for number, clip in enumerate(clips, 1):
        with clip.camera() as camera, build(arguments.model) as pipeline:
            seen = assess(camera, pipeline, clip.known, with_faces=arguments.with_faces)
        found.append((replace(seen, name=f"{clip.dataset} {clip.name}"), {}))
        if sys.stderr.isatty():
            print(f"\r{number} of {len(clips)} clips ", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    scored = list(zip(clips, (one for one, _ in found), strict=True))
    return found, clip_lines(scored) if scored else []


def _seconds(camera: Camera, duration: float | None) -> float | None:
    """How long a recording is, as far as anyone knows."""
    from emopulse_ros.camera import BagCamera

    if duration is not None or not isinstance(camera, BagCamera):
        return duration
    counts = [topic.messages for topic in camera.bag.topics if topic.name == camera.topic]
    return counts[0] / camera.rate if counts and counts[0] else None


def _summary(found: Sequence[Found]) -> list[str]:
    from emopulse_ros.evaluation.page.pool import pool

    assessments = [one for one, _ in found]
    lines = _about_one(*found[0]) if len(found) == 1 else [f"{len(found)} recordings"]
    report = pool(assessments)
    return [*lines, *(report.lines() if report else ["no truth, so no scores"])]


def _about_one(assessment: Assessment, how: dict[str, Timing]) -> list[str]:
    from emopulse_ros.flow.too_slow import LEAST_RATE

    stream, gaps = assessment.stream, assessment.stream.gaps
    lines = [
        f"{assessment.name}: {len(stream.stamps)} frames at {stream.rate:.0f} Hz, "
        f"{len(assessment.recording.stamp)} activations, {len(assessment.recording.events)} events"
        + (f", {len(gaps)} gaps up to {gaps.max():.0f} ms" if len(gaps) else "")
    ]
    if 0.0 < stream.rate < LEAST_RATE:
        lines.append(
            f"nothing can be read from fewer than {LEAST_RATE:.0f} pictures a second: give --rate "
            "if these came faster than their stamps say"
        )
    if stream.without:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in stream.without.items())
        lines.append(f"frames without an activation: {reasons}")
    for topic, one in how.items():
        lines.append(
            f"{topic}, as recorded: {one.rate:.0f} Hz, {one.gaps} gaps, {one.duplicates} twice, "
            f"{one.out_of_order} out of order; capture to publish "
            f"{one.stated_latency_ms[0]:.1f} ms median, {one.stated_latency_ms[1]:.1f} ms p99"
        )
    return lines


def _written(
    arguments: argparse.Namespace,
    assessments: Sequence[Assessment],
    hows: Sequence[dict[str, Timing]],
    engine: Engine,
) -> list[str]:
    from emopulse_ros.evaluation import page
    from emopulse_ros.evaluation.assessment import write_results

    out: Path = arguments.out
    about = page.About(
        card=engine.card,
        model_hash=engine.model_hash,
        environment={**page.environment(), "engine": engine.describe()},
        timing=tuple(
            {
                (name if len(how) == 1 else f"{topic}: {name}"): figure
                for topic, one in how.items()
                for name, figure in one.figures().items()
            }
            for how in hows
        ),
    )
    page.write_page(out / "report.html", assessments, about)
    page.write_json(out / "report.json", assessments, about)
    page.write_units(out / "units.csv", assessments)
    page.write_events(out / "events.csv", assessments)
    for number, one in enumerate(assessments, 1):
        name = "activations.csv" if len(assessments) == 1 else f"activations-{number:03d}.csv"
        page.write_activations(out / name, one)
    told = [f"report: {out / 'report.html'}   (report.json and tables as CSV beside it)"]
    if arguments.bag is not None:
        write_results(arguments.bag, assessments[0], engine.card.name, engine.model_hash)
        told.append(f"results as a bag: {arguments.bag}")
    return told
