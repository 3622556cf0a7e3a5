"""The report for programs: JSON and CSV read back as they were written."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.page import (
    About,
    as_json,
    write_activations,
    write_events,
    write_json,
    write_units,
)
from emopulse_ros.evaluation.page.events import event_rows
from emopulse_ros.facs import CODES, INDEX


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_comes_back_as_it_was_written(assessed: Assessment, tmp_path: Path) -> None:
    about = About(
        Card("a model", "step"), "c0ffee", {"Python": "3.10"},
        ({"jitter": (0.25, "ms"), "period": (math.nan, "ms")},), "a Tuesday",
    )  # fmt: skip
    path = tmp_path / "report.json"
    write_json(path, [assessed], about)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data == as_json([assessed], about)
    assert list(data) == ["format", "emopulse", "created", "overall", "units", "recordings",
                          "model", "environment"]  # fmt: skip
    (one,) = data["recordings"]
    assert assessed.report is not None
    assert one["scores"] == data["overall"]
    assert one["scores"]["events"]["right"] == assessed.report.events.hits
    assert list(one["units"]) == [f"AU{code:02d}" for code in CODES]
    assert one["stream"]["gaps"]["number"] == 1
    assert one["stream"]["gaps"]["longest_ms"] == 30.0
    assert one["stream"]["without_activation"] == {"looking for a face": 10}
    assert one["timing"]["period"] == {"value": None, "unit": "ms"}
    assert len(one["events"]) == len(event_rows(assessed))
    assert data["model"]["sha256"] == "c0ffee"
    assert data["created"] == "a Tuesday"


def test_what_is_undefined_is_null(silent: Assessment, assessed: Assessment) -> None:
    unknown = as_json([replace(assessed, truth=None, report=None)])
    assert unknown["overall"] is unknown["recordings"][0]["scores"] is unknown["model"] is None
    undefined = {"value": None, "low": None, "high": None}
    assert unknown["units"]["AU04"]["frame_f1"] == undefined
    assert unknown["units"]["AU04"]["frames_active"] > 0
    nothing = as_json([silent])
    assert nothing["overall"]["frame_f1"] == nothing["overall"]["event_f1"] == undefined
    assert nothing["recordings"][0]["stream"]["gaps"]["longest_ms"] is None
    json.dumps([unknown, nothing, as_json([])], allow_nan=False)


def test_figures_come_with_their_intervals(assessed: Assessment, tmp_path: Path) -> None:
    some = [assessed, assessed]
    data = as_json(some)
    assert data["format"] == 2
    scores, alone = data["overall"], data["recordings"][0]["scores"]
    # Four stretches are too few, twice four are enough.
    assert scores["intervals_of"] == {"what": "stretch", "number": 8}
    assert alone["intervals_of"] == {"what": "stretch", "number": 4}
    for key in ("frame_f1", "macro_f1", "event_f1", "onset_to_alarm_ms", "calibration_error"):
        figure = scores[key]
        assert list(figure) == ["value", "low", "high"]
        assert figure["low"] <= figure["value"] <= figure["high"], key
        assert alone[key] == {"value": pytest.approx(figure["value"]), "low": None, "high": None}
    assert isinstance(scores["pr_auc"], float)
    write_units(tmp_path / "units.csv", some)
    for row in table(tmp_path / "units.csv")[: len(CODES)]:
        figure = data["units"][row["au"]]["frame_f1"]
        for key, name in (
            ("value", "frame_f1"),
            ("low", "frame_f1_low"),
            ("high", "frame_f1_high"),
        ):
            assert row[name] == ("" if figure[key] is None else f"{figure[key]:g}")


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_frames_of_one_moment_have_no_rate(silent: Assessment, frames: int) -> None:
    stream = replace(silent.stream, stamps=np.zeros(frames, np.int64))
    (one,) = as_json([replace(silent, stream=stream)])["recordings"]
    assert one["stream"]["rate_hz"] is None


def test_events_and_units_as_tables(assessed: Assessment, tmp_path: Path) -> None:
    write_events(tmp_path / "events.csv", [assessed])
    rows, events = table(tmp_path / "events.csv"), event_rows(assessed)
    assert [row["verdict"] for row in rows] == [event.verdict for event in events]
    for row, event in zip(rows, events, strict=True):
        assert row["recording"] == "a recording"
        assert row["aus"] == " ".join(map(str, event.aus))
        assert float(row["onset_s"] or "nan") == pytest.approx(event.onset_s, nan_ok=True)
    write_units(tmp_path / "units.csv", [assessed, assessed])
    rows = table(tmp_path / "units.csv")
    assert [row["recording"] for row in rows[:: len(CODES)]] == ["", "a recording", "a recording"]
    assert int(rows[0]["frames_true"]) == 2 * int(rows[len(CODES)]["frames_true"])


def test_activations_have_the_columns_of_openface(assessed: Assessment, tmp_path: Path) -> None:
    path = tmp_path / "openface.csv"
    write_activations(path, assessed)
    head = path.read_text().splitlines()[0]
    assert head.startswith("frame,face_id,timestamp,confidence,success,AU01_r,AU02_r,AU04_r,")
    assert ",AU26_r,AU45_r,AU01_c,AU02_c," in head
    assert head.endswith(",AU25_c,AU26_c,AU28_c,AU45_c")
    assert (head.count("_r"), head.count("_c")) == (17, 18)
    rows, recording = table(path), assessed.recording
    assert [int(row["frame"]) for row in rows] == list(range(1, len(assessed.stream.stamps) + 1))
    assert [row["success"] for row in rows[8:12]] == ["0", "0", "1", "1"]
    seen = [row for row in rows if row["success"] == "1"]
    first = assessed.stream.stamps[0]
    np.testing.assert_allclose(
        [float(row["timestamp"]) for row in seen], (recording.stamp - first) / 1e9, atol=1e-6
    )
    alarms = recording.alarms(assessed.thresholds)
    for code in CODES:
        strength = [float(row[f"AU{code:02d}_r"]) for row in seen]
        np.testing.assert_allclose(strength, 5.0 * recording.intensity[:, INDEX[code]], atol=6e-4)
        assert [row[f"AU{code:02d}_c"] == "1" for row in seen] == alarms[:, INDEX[code]].tolist()
    assert {row["AU23_r"] for row in rows} == {row["AU28_c"] for row in rows} == {""}
    assert rows[0]["AU01_r"] == rows[0]["AU01_c"] == "0"


def test_files_of_an_empty_recording_have_their_heads(silent: Assessment, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    write_activations(path, silent)
    assert {row["success"] for row in table(path)} == {"0"}
    write_events(path, [silent])
    assert table(path) == []
    write_units(path, [silent])
    assert len(table(path)) == len(CODES)
    write_units(path, [])
    assert path.read_text().startswith("recording,au,name,")


def test_a_name_with_a_comma_stays_one_field(assessed: Assessment, tmp_path: Path) -> None:
    write_events(tmp_path / "events.csv", [replace(assessed, name='a, "b"\n\udcff')])
    assert table(tmp_path / "events.csv")[0]["recording"] == 'a, "b"\n\\udcff'
