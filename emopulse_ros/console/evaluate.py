"""``emopulse evaluate``: a recording through the whole pipeline, held against its truth."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.progress import Progress
from emopulse_ros.console.show import complain, say

if TYPE_CHECKING:
    from emopulse_ros.camera import Camera
    from emopulse_ros.detection.engine import Engine
    from emopulse_ros.evaluation.assessment import Assessment, KnowTruth
    from emopulse_ros.evaluation.timing import Timing
    from emopulse_ros.pipeline import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a bag (its folder, .mcap or .db3), a video file, a folder of images, or a camera "
        "such as synthetic:7",
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
    parser.add_argument(
        "--model", type=Path, metavar="FILE", help="an EmoPulse model in place of the one built in"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/evaluation"),
        metavar="DIR",
        help="where the report and the tables go (default: out/evaluation)",
    )
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
    from emopulse_ros.evaluation.source import open_source, truth_for
    from emopulse_ros.pipeline import build

    if arguments.bag is not None and arguments.bag.exists():
        raise BadInputError(f"{arguments.bag} is there already: give --bag a name that is free")
    with ExitStack() as stack, reading_input():
        camera = stack.enter_context(
            open_source(
                arguments.source,
                arguments.topic,
                rate=arguments.rate,
                duration=arguments.duration,
            )
        )
        know_truth = truth_for(camera, arguments.truth)
        pipeline = stack.enter_context(build(arguments.model))
        arguments.out.mkdir(parents=True, exist_ok=True)
        timing = _timing(camera)
        assessment = _assessed(arguments, camera, pipeline, know_truth)
        told = _written(arguments, assessment, pipeline.detector.engine, timing)
    say([*_summary(assessment, timing), *told])
    for note in assessment.stream.notes:
        complain(note)
    return 0 if len(assessment.stream.stamps) and not assessment.stream.notes else 2


def _assessed(
    arguments: argparse.Namespace,
    camera: Camera,
    pipeline: Pipeline,
    know_truth: KnowTruth | None,
) -> Assessment:
    from emopulse_ros.camera import BagCamera
    from emopulse_ros.evaluation.assessment import assess, assess_recorded

    if arguments.recorded:
        if not isinstance(camera, BagCamera):
            raise BadInputError("only a bag holds what was said before: leave out --recorded")
        return assess_recorded(camera, pipeline.detector.engine, know_truth)
    with Progress(_seconds(camera, arguments.duration)) as progress:
        return assess(
            camera,
            pipeline,
            know_truth,
            with_faces=arguments.with_faces,
            on_frame=progress.at,
        )


def _seconds(camera: Camera, duration: float | None) -> float | None:
    """How long a recording is, as far as anyone knows."""
    from emopulse_ros.camera import BagCamera

    if duration is not None or not isinstance(camera, BagCamera):
        return duration
    counts = [topic.messages for topic in camera.bag.topics if topic.name == camera.topic]
    return counts[0] / camera.rate if counts and counts[0] else None


def _timing(camera: Camera) -> dict[str, Timing]:
    from emopulse_ros.camera import BagCamera
    from emopulse_ros.evaluation.timing import recorded_timing

    return recorded_timing(camera.bag) if isinstance(camera, BagCamera) else {}


def _summary(assessment: Assessment, timing: dict[str, Timing]) -> list[str]:
    stream = assessment.stream
    gaps = stream.gaps
    lines = [
        f"{assessment.name}: {len(stream.stamps)} frames at {stream.rate:.0f} Hz, "
        f"{len(assessment.recording.stamp)} activations, {len(assessment.recording.events)} events"
        + (f", {len(gaps)} gaps up to {gaps.max():.0f} ms" if len(gaps) else "")
    ]
    if stream.without:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in stream.without.items())
        lines.append(f"frames without an activation: {reasons}")
    lines += assessment.report.lines() if assessment.report else ["no truth, so no scores"]
    for topic, one in timing.items():
        lines.append(
            f"{topic}, as recorded: {one.rate:.0f} Hz, {one.gaps} gaps, {one.duplicates} twice, "
            f"{one.out_of_order} out of order; capture to publish "
            f"{one.stated_latency_ms[0]:.1f} ms median, {one.stated_latency_ms[1]:.1f} ms p99"
        )
    return lines


def _written(
    arguments: argparse.Namespace,
    assessment: Assessment,
    engine: Engine,
    timing: dict[str, Timing],
) -> list[str]:
    told: list[str] = []
    if arguments.bag is not None:
        from emopulse_ros.evaluation.assessment import write_results

        write_results(arguments.bag, assessment, engine.card.name, engine.model_hash)
        told.append(f"results as a bag: {arguments.bag}")
    return told
