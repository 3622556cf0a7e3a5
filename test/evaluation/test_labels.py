"""Ground truth as people write it down."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emopulse_ros.bag.file import Received
from emopulse_ros.evaluation.labels.read import read_labels
from emopulse_ros.evaluation.labels.recorded import RecordedLabels
from emopulse_ros.evaluation.labels.timed import LabelError
from emopulse_ros.evaluation.truth import Label, Truth, frame_truth

MS = 1_000_000
ORIGIN = 1_700_000_000 * 10**9
STAMPS = ORIGIN + np.arange(200, dtype=np.int64) * 5 * MS


def truth_of(path: Path, text: str) -> Truth:
    path.write_text(text)
    return read_labels(path)(STAMPS)


@pytest.mark.parametrize(
    ("unit", "row", "later"),
    [
        ("s", "0.1,0.15,0.2,L4+7,", "0.3,,0.4,AU45,blink"),
        ("frame", "20,30,40,4 7,expression", "60,,80,45,blink"),
        ("ns", f"{ORIGIN + 100 * MS},{ORIGIN + 150 * MS},{ORIGIN + 200 * MS},7B+4,",
         f"{ORIGIN + 300 * MS},,{ORIGIN + 400 * MS},45,blink"),
    ],
)  # fmt: skip
def test_a_table_in_each_of_its_units(tmp_path: Path, unit: str, row: str, later: str) -> None:
    head = f"onset_{unit},apex_{unit},offset_{unit},aus,kind"
    truth = truth_of(tmp_path / "labels.csv", f"# coded: 4 7 12 45\n{head}\n{later}\n\n{row}\n")
    assert truth.codes == (4, 7, 12, 45)
    assert truth.labels == (
        Label(ORIGIN + 100 * MS, ORIGIN + 150 * MS, ORIGIN + 200 * MS, (4, 7)),
        Label(ORIGIN + 300 * MS, ORIGIN + 350 * MS, ORIGIN + 400 * MS, (45,), "blink"),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("start,end\n1,2\n", "has the columns start, end, but labels need onset_s"),
        ("onset_s,offset_s,aus\n0.1,0.2,4\n0.1,soon,4\n", "line 3: offset_s is 'soon'"),
        ("onset_s,offset_s,aus\n0.3,0.2,4\n", "line 2: onset, apex and offset are not in"),
        ("onset_s,offset_s,aus\n0.3,,4\n", "line 2 lacks its onset or its offset"),
        (
            "onset_s,offset_s,aus\n\n# so\n0.1,0.2,smile\n",
            "line 4: 'smile' is no list of",
        ),
        ("onset_s,offset_s,aus\n0.1,0.2,\n", "line 2 names no action unit"),
        ("onset_s,offset_s,aus\n0.1,0.2,4,9\n", "line 2 has 4 cells, but the header 3"),
        ("onset_s,offset_s,aus,kind\n0.1,0.2,4,joy\n", "line 2: kind is 'joy'"),
        ("onset_s,offset_s,aus\n-1,0.2,4\n", "line 2: onset_s is -1"),
        ("onset_frame,offset_frame,aus\n10,200,4\n", "frame 200, but the recording has 200"),
    ],
)
def test_a_line_that_makes_no_sense_is_told_with_its_number(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(LabelError, match=sentence):
        truth_of(tmp_path / "labels.csv", text)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no file with labels"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "labels.docx").write_text("")
    with pytest.raises(LabelError, match=r"labels are read from \.csv"):
        read_labels(tmp_path / "labels.docx")
    (tmp_path / "labels.csv").write_bytes(b"onset_s,\xff\xfe")
    with pytest.raises(LabelError, match="UTF-8"):
        read_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize("comma", [",", ", "])
@pytest.mark.parametrize("by", ["timestamp", "frame"])
def test_a_table_of_frames_as_openface_writes_it(tmp_path: Path, by: str, comma: str) -> None:
    on = np.zeros((200, 2), int)
    on[20:41, 0] = on[60:81, 1] = on[190:, 0] = 1
    lines = [comma.join([by, "AU04_c", "AU45_c", "AU04_r"])]
    for row, (brow, lid) in enumerate(on):
        time = f"{row * 0.005:.3f}" if by == "timestamp" else str(row + 1)
        lines.append(comma.join([time, f"{brow}.00", f"{lid}.00", "1.5"]))
    truth = truth_of(tmp_path / "face.csv", "\n".join(lines) + "\n")
    assert truth.codes == (4, 45)
    assert np.array_equal(frame_truth(truth, STAMPS, (4, 45)), on.astype(bool))
    assert [label.kind for label in truth.labels] == ["expression", "blink", "expression"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("timestamp,AU04_c\n0.0,1\n0.005\n", "line 3 has 1 cells, but the header 2"),
        ("timestamp,AU04_c\n0.0,yes\n", "line 2: could not convert"),
        ("timestamp,AU04_c\n", "has a header, but no frame"),
        ("confidence,AU04_c\n1,1\n", "needs columns such as AU12_c, and timestamp or frame"),
    ],
)
def test_a_table_of_frames_that_makes_no_sense(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(LabelError, match=sentence):
        truth_of(tmp_path / "face.csv", text)


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="200"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="300"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="400"/>
</TIME_ORDER>
<TIER TIER_ID="face"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>4+7</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="blink"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="notes"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>looks away</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""
TABS = "face\t\t00:00:00.100\t00:00:00.200\t00:00:00.100\t4+7\nblink\t\t0.300\t0.400\t0.100\t\n"


@pytest.mark.parametrize(("name", "text"), [("a.eaf", EAF), ("a.txt", TABS)])
def test_annotations_made_with_elan(tmp_path: Path, name: str, text: str) -> None:
    assert truth_of(tmp_path / name, text).labels == (
        Label(ORIGIN + 100 * MS, ORIGIN + 150 * MS, ORIGIN + 200 * MS, (4, 7)),
        Label(ORIGIN + 300 * MS, ORIGIN + 350 * MS, ORIGIN + 400 * MS, (45,), "blink"),
    )


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.eaf", "<ANNOTATION", "is no ELAN file"),
        ("a.eaf", "<ANNOTATION_DOCUMENT/>", "names an action unit"),
        ("a.txt", "tier\tbegin\tend\nface\t0.1\tx\t4\n", "line 2 has no begin and end"),
    ],
)
def test_annotations_that_make_no_sense(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    with pytest.raises(LabelError, match=sentence):
        truth_of(tmp_path / name, text)


def heard(
    topic: str, onset_ms: int, kind: str = "expression", coded: tuple[int, ...] = ()
) -> Received:
    """A label of AU4 that lasts 100 ms, as it comes out of a bag."""
    times = (
        SimpleNamespace(sec=1_700_000_000, nanosec=(onset_ms + ms) * MS) for ms in (0, 40, 100)
    )
    named = dict(zip(("onset", "apex", "offset"), times, strict=True))
    return Received(topic, 0, SimpleNamespace(kind=kind, aus=[4], coded=coded, **named))


def test_labels_on_a_topic_of_a_bag() -> None:
    labels = RecordedLabels(Path("bag"))
    assert labels(STAMPS) is None, "nobody labelled it"
    labels.hear(heard("/truth", 500, coded=(4, 7)))
    labels.hear(heard("/truth", 100))
    truth = labels(STAMPS)
    assert truth is not None
    assert truth.codes == (4, 7)
    assert [label.onset - ORIGIN for label in truth.labels] == [100 * MS, 500 * MS]
    labels.hear(heard("/other", 300))
    with pytest.raises(LabelError, match="labels on /other, /truth: choose one"):
        labels(STAMPS)
    with pytest.raises(LabelError, match="of the kind 'joy'"):
        labels.hear(heard("/truth", 0, kind="joy"))


def test_of_labels_on_several_topics_one_is_chosen() -> None:
    labels = RecordedLabels(Path("bag"), "/other")
    labels.hear(heard("/truth", 100))
    labels.hear(heard("/other", 300))
    truth = labels(STAMPS)
    assert truth is not None
    assert [label.onset - ORIGIN for label in truth.labels] == [300 * MS]
