"""One run as it is shown: gathered while it goes on, summed up at its end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emopulse_ros.camera.source import Closing
from emopulse_ros.console.bad_input import reading_input
from emopulse_ros.console.csv_file import CsvFile
from emopulse_ros.console.display import Display
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.tally import EventSink, Inbox, Sink, Tally
from emopulse_ros.console.truth_marks import TruthMarks
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.report import score
from emopulse_ros.evaluation.timeline import draw_timeline
from emopulse_ros.synthesis.script import Script


class Show(Closing):
    """Puts together what shows a run: tally, display, CSV file, and a recorder if asked.

    The stream puts what comes out into ``inbox``.
    ``record`` keeps every activation for the scores at the end, so only for runs that end;
    ``thresholds`` are those of the model.

    :raises BadInputError: if the CSV file cannot be written.
    """

    def __init__(
        self,
        title: str,
        inbox: Inbox,
        *,
        script: Script | None = None,
        rate: float = 200.0,
        thresholds: Mapping[int, float] | float = 0.5,
        csv: Path | None = None,
        record: bool = False,
    ) -> None:
        self._thresholds = thresholds
        self._marks = TruthMarks(script, rate) if script is not None else None
        self._recorder = Recorder() if record else None
        with reading_input():
            self._csv = CsvFile(csv) if csv is not None else None
        sinks: list[Sink] = []
        event_sinks: list[EventSink] = []
        if self._csv is not None:
            sinks.append(self._csv)
        if self._recorder is not None:
            sinks.append(self._recorder.add)
            event_sinks.append(self._recorder.add_event)
        tally = Tally(inbox, thresholds, self._marks, tuple(sinks), tuple(event_sinks))
        self.display = Display(tally, title)

    def close(self) -> None:
        """Leave the screen as it was, and finish the file."""
        self.display.close()
        if self._csv is not None:
            self._csv.close()

    def summary(self, ending: Ending, png: Path | None = None) -> list[str]:
        """What is said at the end, after ``png`` was drawn if it is asked for."""
        lines = ending.lines()
        if self._recorder is None or not ending.activations:
            return lines
        recording = self._recorder.recording()
        lines += _latency(recording)
        if self._marks is not None:
            truth = self._marks.truth(int(recording.stamp[-1]))
            lines += score(recording, truth, thresholds=self._thresholds).lines()
        if png is not None:
            lines.append(self._draw(png, recording))
        return lines

    def _draw(self, png: Path, recording: Recording) -> str:
        origin = self._marks.origin if self._marks is not None else None
        first, last = int(recording.stamp[0]), int(recording.stamp[-1])
        try:
            png.parent.mkdir(parents=True, exist_ok=True)
            draw_timeline(
                png,
                recording,
                truth=self._marks.truth(last) if self._marks is not None else None,
                origin=first if origin is None else origin,
                title=f"EmoPulse: {recording.seconds:.0f} s of a face at "
                f"{(len(recording.stamp) - 1) / max(recording.seconds, 1e-9):.0f} FPS",
            )
        except (RuntimeError, OSError) as error:
            return f"no timeline: {error}"
        return f"timeline: {png}"


def _latency(recording: Recording) -> list[str]:
    known = recording.latency_ms[~np.isnan(recording.latency_ms)]
    if not known.size:
        return []
    median, p99 = np.percentile(known, (50, 99))
    return [
        f"latency from capture to publish: {median:.2f} ms median, {p99:.2f} ms p99, "
        f"{known.max():.2f} ms max"
    ]


def say(lines: list[str]) -> None:
    """Print lines; what a reader who has gone away misses is not an error."""
    for line in lines:
        print(line, flush=True)


def complain(sentence: str) -> None:
    """Say what went wrong, in a sentence on stderr."""
    print(f"emopulse: {sentence}", file=sys.stderr, flush=True)


def exit_status(shortfall: str | None, *, seen: bool, interrupted: bool) -> int:
    """The exit status of a run that is over, having said what its camera fell short of.

    One that was interrupted ends as it was asked to; one that has seen nothing, or less than the
    camera promised, had input that cannot be worked with.
    """
    if interrupted:
        return 130
    if shortfall is not None:
        complain(shortfall)
    return 0 if seen and shortfall is None else 2
