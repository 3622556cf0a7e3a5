"""What a person sees of a run is what came out of it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.console.csv_file import CsvFile
from emopulse_ros.console.display import Display, plain_line
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.screen import Palette, Screen, lines_of
from emopulse_ros.console.tally import Inbox, Tally
from emopulse_ros.console.truth_marks import TruthMarks
from emopulse_ros.facs import CODES, INDEX
from emopulse_ros.stream import Activation, MicroExpression
from emopulse_ros.synthesis.script import Movement, Script

MS = 1_000_000
ORIGIN = 1_700_000_000_000_000_000
FRAMES = range(100, 200)


def activation(sequence: int, height: float = 0.1, codes: tuple[int, ...] = CODES) -> Activation:
    """A frame's activation at 200 frames per second; AU12 has ``height``, the rest 0.02."""
    probability = np.full(len(codes), 0.02, np.float32)
    probability[codes.index(12)] = height
    return Activation(
        ORIGIN + sequence * 5 * MS, sequence, 1, codes, probability,
        probability / 4, 1.0, "tiny", "abcdef0123456789",
    )  # fmt: skip


def event(onset_ms: int, offset_ms: int) -> MicroExpression:
    """An event of AU12, in ms since the script began."""
    onset, offset = ORIGIN + onset_ms * MS, ORIGIN + offset_ms * MS
    peak = np.float32([0.9])
    return MicroExpression(
        offset + 20 * MS, 0, 1, onset, (onset + offset) // 2, offset, (12,), peak, 0.8
    )


@pytest.fixture
def marks() -> TruthMarks:
    """The truth of a script with one AU12 from 800 to 900 ms."""
    smile = Movement("micro", (12,), ((0.3, 0.3),), 800 * MS, 850 * MS, 900 * MS)
    return TruthMarks(Script(0, 2000 * MS, (smile,), np.zeros((6, 1, 3))), 200.0)


def test_a_tally_counts_and_passes_on_what_came(marks: TruthMarks) -> None:
    kept: list[tuple[int, float]] = []
    kept_events: list[MicroExpression] = []
    inbox = Inbox()
    tally = Tally(
        inbox,
        {12: 0.6},
        marks,
        (lambda a, ms: kept.append((a.sequence, ms)),),
        (kept_events.append,),
    )
    tally.read(10.0)
    for sequence in FRAMES:
        inbox.put(activation(sequence, 0.9 if sequence == 170 else 0.1), latency_ms=2.0)
    inbox.put_event(event(810, 905))
    assert kept == []
    assert [e.offset for e in tally.read(10.5)] == [ORIGIN + 905 * MS]
    assert kept == [(sequence, 2.0) for sequence in FRAMES]
    assert len(kept_events) == 1

    shot = tally.snapshot(10.5)
    assert shot.count == 100
    assert shot.rate == pytest.approx(200.0)
    assert shot.latency_ms == (2.0, 2.0)
    # Frame 170 was 145 ms ago: its peak is still held, its truth too.
    assert shot.probability[INDEX[12]] == pytest.approx(0.1)
    assert shot.peak[INDEX[12]] == pytest.approx(0.9)
    assert shot.threshold[INDEX[12]] == pytest.approx(0.6)
    assert shot.threshold[INDEX[4]] == pytest.approx(0.5)
    assert shot.truth is not None
    assert shot.truth.tolist() == [code == 12 for code in CODES]
    ((moment, _, verdict),) = shot.events
    assert (moment, verdict) == (pytest.approx(0.81), "right")
    assert shot.model == "tiny abcdef01"


def test_of_several_faces_one_is_shown_until_it_has_gone() -> None:
    inbox = Inbox()
    tally = Tally(inbox)
    for number in range(100):
        inbox.put(replace(activation(number, 0.2), face_id=1))
        inbox.put(replace(activation(number, 0.9), face_id=2))
    tally.read(1.0)
    assert tally.count == 200
    assert tally.snapshot(1.0).peak.max() < 0.5
    for number in range(100, 200):
        inbox.put(replace(activation(number, 0.9), face_id=2))
    tally.read(1.5)
    assert tally.snapshot(1.5).peak.max() > 0.8
    # 200 frames were shown in half a second, however many faces there were: 100, and then 39.
    assert tally.snapshot(1.5).rate == pytest.approx(39 / 0.5, abs=3)


def test_truth_begins_where_the_stream_says_it_does(marks: TruthMarks) -> None:
    assert not marks.active(CODES, 0, 2**62).any()
    marks.see(activation(150))
    assert marks.origin == ORIGIN
    assert marks.active((4, 99, 12), ORIGIN + 700 * MS, ORIGIN + 810 * MS).tolist() == [0, 0, 1]
    assert not marks.active(CODES, ORIGIN + 901 * MS, ORIGIN + 1200 * MS).any()
    assert marks.verdict(event(800, 900)) == "right"
    assert marks.verdict(event(880, 990)) == "loose"
    assert marks.verdict(event(950, 1000)) == "wrong"


def test_the_screen_fits_the_terminal_and_shows_bars_truth_and_events(marks: TruthMarks) -> None:
    inbox = Inbox()
    tally = Tally(inbox, 0.5, marks)
    tally.read(0.0)
    for sequence in FRAMES:
        inbox.put(activation(sequence, 0.75), latency_ms=2.25)
    inbox.put_event(event(810, 905))
    tally.read(0.5)
    plain = Palette.fitting({"NO_COLOR": "1"})
    for columns, rows in ((100, 40), (60, 24), (200, 60)):
        lines = lines_of(tally.snapshot(0.5), "title", "0 dropped", columns, rows, plain)
        assert len(lines) < rows
        assert max(len(line) for line in lines) < columns
    lines = lines_of(tally.snapshot(0.5), "title", "0 dropped", 100, 40, plain)
    (smile,) = [line for line in lines if "AU12 " in line and "lip corner puller" in line]
    assert smile.count("█") == 45
    assert smile.endswith("0.75 ● true")
    (frown,) = [line for line in lines if "AU04" in line]
    assert "█" in frown
    assert "true" not in frown
    text = "\n".join(lines)
    assert "0.81 s  AU12" in text
    assert "95 ms  0.80  ✓ true" in text
    assert "2.25 ms median, 2.25 ms p99" in text
    assert "0 dropped" in text
    assert "\x1b" not in text


def test_the_screen_is_redrawn_in_place_and_gives_the_cursor_back() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.draw(["one", "two"])
    screen.draw(["three"])
    screen.close()
    text = out.getvalue()
    assert text.startswith("\x1b[?25l")
    assert text.endswith("\x1b[?25h")
    assert "\x1b[2Fthree\x1b[K\n\x1b[J" in text


def test_without_a_terminal_there_are_plain_lines(marks: TruthMarks) -> None:
    out = io.StringIO()
    inbox = Inbox()
    tally = Tally(inbox, 0.5, marks)
    display = Display(tally, "title", out)
    inbox.put(activation(100, 0.9))
    inbox.put_event(event(810, 905))
    display.update()
    display.close()
    assert out.getvalue().splitlines()[0] == "title"
    assert "event    0.81 s  AU12" in out.getvalue()
    line = plain_line(tally.snapshot(0.5), 3.0, "no face in view")
    assert line.startswith("   3.0 s")
    assert "AU12 0.90" in line
    assert "no face in view" in line
    assert line.isascii()
    assert "\x1b" not in out.getvalue()


def test_a_note_stays_above_what_is_drawn() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.draw(["one", "two"])
    screen.write_above("the camera is slow")
    screen.draw(["three"])
    assert out.getvalue().endswith("\x1b[2F\x1b[Jthe camera is slow\nthree\x1b[K\n\x1b[J")
    plain = io.StringIO()
    Display(Tally(Inbox()), "title", plain).note("the camera is slow")
    assert plain.getvalue() == "title\nthe camera is slow\n"


def test_an_empty_run_can_be_shown() -> None:
    tally = Tally(Inbox())
    tally.read(0.0)
    shot = tally.snapshot(4.0)
    assert shot.quiet_s == 4.0
    assert "no event yet" in "\n".join(lines_of(shot, "title", "", 80, 40, Palette()))
    assert "0 events" in plain_line(shot, 4.0, "")


def test_a_csv_file_has_the_documented_columns(tmp_path: Path) -> None:
    path = tmp_path / "activations.csv"
    with CsvFile(path) as write:
        write(activation(7, 0.5, (4, 12)), 1.25)
        write(activation(8, 0.5, (4, 12)), float("nan"))
        with pytest.raises(ValueError, match="one header"):
            write(activation(9), 1.0)
    head, first, second = path.read_text().splitlines()
    assert head == ("stamp_ns,sequence,face_id,AU04_p,AU04_i,AU12_p,AU12_i,attention,latency_ms")
    assert first == f"{ORIGIN + 35 * MS},7,1,0.020000,0.005000,0.500000,0.125000,1.000000,1.250"
    assert second.endswith(",1.000000,")


def test_a_csv_file_without_a_row_has_its_header(tmp_path: Path) -> None:
    path = tmp_path / "activations.csv"
    CsvFile(path).close()
    assert path.read_text().count("\n") == 1
    assert path.read_text().startswith("stamp_ns,sequence,face_id,AU01_p,AU01_i,AU02_p")


def test_the_ending_says_why_there_was_no_activation() -> None:
    ending = Ending(frames=30)
    ending.without["no face in view"] = 30
    (line,) = ending.lines()
    assert line == "no activation in 30 frames: no face in view (30)"
    assert Ending().lines() == ["no frame came from the camera"]
    assert "28 activations" in Ending(frames=30, activations=28).lines()[0]
