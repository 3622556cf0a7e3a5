"""The report as a page: what it says, what it must never do."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.assessment import Assessment, FaceShot
from emopulse_ros.evaluation.page import About, environment, page, write_page
from emopulse_ros.evaluation.page.events import event_rows
from emopulse_ros.evaluation.page.pool import pool
from emopulse_ros.evaluation.page.series import series
from emopulse_ros.evaluation.page.units import unit_rows
from emopulse_ros.evaluation.truth import Truth
from emopulse_ros.facs import CODES, INDEX

EVIL = "</script><script>alert(1)</script>$data{style} & \"quoted\" 'too' \udcff"


class Text(HTMLParser):
    """The texts of a page, and how often each element occurs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tags: list[str] = []
        self.outside: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"src", "href"} and not (value or "").startswith(("#", "data:")):
                self.outside.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        self.said.append(data.strip())


def test_the_page_says_what_was_found(assessed: Assessment) -> None:
    about = About(Card("a model", "step"), "c0ffee", {"Python": "3.10"}, created="a Tuesday")
    read = Text(page([assessed], about))
    assert assessed.report is not None
    for said in ("a recording", "frame F1", "PR-AUC", "AU12", "right", "c0ffee", "3.10", "a model",
                 "This page contains no image of a person.", "Muscles, not minds."):  # fmt: skip
        assert said in read.said, said
    assert "EmoPulse 0.1.0 · a model · a Tuesday" in read.said
    assert read.said.count("right") == assessed.report.events.hits > 3
    assert read.outside == []
    assert "img" not in read.tags


def test_the_same_input_gives_the_same_bytes(assessed: Assessment, tmp_path: Path) -> None:
    for name in "ab":
        write_page(tmp_path / name, [assessed], About(environment=environment()))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_text_breaks_out_of_its_place(assessed: Assessment, tmp_path: Path) -> None:
    stream = replace(assessed.stream, without={EVIL: 1}, notes=(EVIL,))
    evil = replace(assessed, name=EVIL, stream=stream)
    card = Card(EVIL, "step", trained_on=EVIL, scores=json.dumps({EVIL: 1}))
    about = About(card, EVIL, {EVIL: EVIL}, ({EVIL: (1.0, EVIL)},), EVIL)
    write_page(tmp_path / "page.html", [evil], about)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    plain = page([assessed], About(Card("a", "step"), "b", {"c": "d"}, ({"e": (1.0, "f")},), "g"))
    assert "alert(1)</script>" not in html
    assert Text(html).tags.count("script") == Text(plain).tags.count("script") == 2
    assert EVIL.replace("\udcff", r"\udcff") in Text(html).said


def test_without_a_truth_the_page_says_so(assessed: Assessment) -> None:
    unknown = replace(assessed, truth=None, report=None)
    read = Text(page([unknown]))
    assert any(said.startswith("No truth is known of this recording") for said in read.said)
    assert "frame F1" not in read.said
    assert "right" not in read.said
    assert {row.verdict for row in event_rows(unknown)} == {"unjudged"}
    assert series(unknown)["known"] is False


def test_an_empty_recording_has_a_page_too(silent: Assessment) -> None:
    for one in (silent, replace(silent, truth=None, report=None)):
        read = Text(page([one], About(timing=({},))))
        assert "nobody in sight" in " ".join(read.said)
        assert any(said.startswith("No event was found") for said in read.said)
    assert Text(page([])).said.count("0 recordings") == 1


def test_several_recordings_are_scored_together_and_one_by_one(
    assessed: Assessment, silent: Assessment
) -> None:
    unknown = replace(assessed, name="another", truth=None, report=None)
    read = Text(page([assessed, unknown, silent]))
    assert "3 recordings" in read.said
    assert any("some of these recordings" in said for said in read.said)
    assert read.tags.count("details") == 3
    together = pool([assessed, assessed, unknown, silent])
    assert together is not None
    assert assessed.report is not None
    assert together.frames == 2 * assessed.report.frames
    assert together.events.hits == 2 * assessed.report.events.hits
    np.testing.assert_allclose(together.precision, assessed.report.precision)
    np.testing.assert_allclose(together.counts.f1, assessed.report.counts.f1)


@pytest.mark.parametrize(
    ("recordings", "how"),
    [
        (1, "No 95% intervals: the bootstrap takes 6 stretches of 2 s, and these are 4."),
        (2, "over 8 stretches of 2 s of fewer than 6 recordings, for frames close to each other"),
        (6, "over 6 whole recordings, for what is in one of them is alike"),
    ],
)
def test_the_page_says_how_sure_its_figures_are(
    assessed: Assessment, recordings: int, how: str
) -> None:
    read, report = Text(page([assessed] * recordings)), pool([assessed] * recordings)
    assert report is not None
    assert any(how in said for said in read.said)
    low, high = report.sure.event_f1[1:]
    assert np.isnan(low) == (recordings == 1)
    first = read.said[read.said.index("event F1, IoU 0.5") :]
    assert next(filter(None, first[2:])) == ("-" if np.isnan(low) else f"{low:.2f} to {high:.2f}")


def test_a_unit_is_pooled_over_the_recordings_that_know_it(assessed: Assessment) -> None:
    assert assessed.truth is not None
    assert assessed.report is not None
    from emopulse_ros.evaluation.report import score

    partial = Truth(assessed.truth.labels, (12,))
    report = score(assessed.recording, partial, thresholds=assessed.thresholds)
    together = pool([assessed, replace(assessed, truth=partial, report=report)])
    assert together is not None
    assert together.counts.tp[INDEX[12]] == 2 * assessed.report.counts.tp[INDEX[12]]
    np.testing.assert_allclose(together.precision, assessed.report.precision)
    rows = {row.au: row for row in unit_rows([assessed], report)}
    assert rows["AU04"].frames_true is None
    assert rows["AU12"].frames_true is not None


def test_recordings_of_different_models_are_refused(assessed: Assessment) -> None:
    other = replace(assessed, recording=replace(assessed.recording, codes=(99, *CODES[1:])))
    with pytest.raises(ValueError, match="different action units"):
        page([assessed, other])
    with pytest.raises(ValueError, match="timings of 2"):
        page([assessed], About(timing=({}, {})))


def test_faces_are_in_the_page_only_if_they_were_kept(assessed: Assessment) -> None:
    shot = FaceShot(assessed.recording.events[0].apex, b"a jpeg")
    read = Text(page([replace(assessed, faces=(shot,))]))
    assert "This page contains 1 image of a face." in read.said
    assert read.tags.count("img") == 1
    assert base64.b64encode(b"a jpeg").decode() in page([replace(assessed, faces=(shot,))])


def test_every_event_has_its_verdict(assessed: Assessment) -> None:
    assert assessed.report is not None
    events = assessed.report.events
    rows = event_rows(assessed)
    assert sum(row.verdict == "right" for row in rows) == events.hits
    assert sum(row.verdict == "wrong" for row in rows) == events.spurious
    assert sum(row.found for row in rows) == events.found
    assert sum(row.verdict == "missed" for row in rows) == 1
    assert [row.span for row in rows] == sorted(row.span for row in rows)
    (wrong,) = (row for row in rows if row.verdict == "wrong")
    assert wrong.true_aus == ()
    assert all(row.iou >= 0.5 for row in rows if row.verdict == "right")


def test_the_timeline_gets_every_row(assessed: Assessment) -> None:
    html = page([assessed])
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found is not None
    (data,) = json.loads(found[1])
    times = np.frombuffer(base64.b64decode(data["t"]), "<f8")
    first = assessed.stream.stamps[0]
    np.testing.assert_allclose(times, (assessed.recording.stamp - first) / 1e9)
    said = np.frombuffer(base64.b64decode(data["p"]), "u1").reshape(len(CODES), -1)
    np.testing.assert_allclose(said.T / 255.0, assessed.recording.probability, atol=0.002)
    head = np.frombuffer(base64.b64decode(data["head"]), "<f4").reshape(4, -1)
    np.testing.assert_allclose(np.median(head, axis=1), 0.0, atol=1e-4)
    # Ten frames without a face in the beginning, then five that never came.
    assert data["blind"] == [[0.0, pytest.approx(0.05)]]
    assert data["missing"] == [[pytest.approx(2.0), pytest.approx(2.03)]]
