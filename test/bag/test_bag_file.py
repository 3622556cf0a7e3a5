"""Bags of every kind, whole and broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("rosbags", reason="rosbags is not installed: requirements/evaluation.txt")

from emopulse_ros.bag.errors import BagError
from emopulse_ros.bag.file import BagFile, Topic

from .bags import IMAGE, STEP, image, images, new, picture, write_bag


def stamps(path: Path, topic: str = "/eye") -> list[int]:
    with BagFile(path) as bag:
        return [message.header.stamp.nanosec for _, _, message in bag.messages(topic)]


EXPECTED = [n * STEP for n in range(30)]


KINDS = [
    (storage, compression)
    for storage in ("mcap", "sqlite")
    for compression in ("plain", "file", "message", "storage")
    # SQLite has no compression of its own.
    if (storage, compression) != ("sqlite", "storage")
]


@pytest.mark.parametrize(("storage", "compression"), KINDS)
def test_every_kind_of_bag_is_read(tmp_path: Path, storage: str, compression: str) -> None:
    word = [(5, new("std_msgs/msg/String", data="hello"))]
    topics = {"/eye": images(range(30)), "/word": word}
    path = write_bag(tmp_path / "bag", topics, storage, compression)
    with BagFile(path) as bag:
        assert bag.topics == (Topic("/eye", IMAGE, 30), Topic("/word", "std_msgs/msg/String", 1))
        got = list(bag.messages("/eye", "/word"))
        assert bag.notes == []
    assert [one.message.header.stamp.nanosec for one in got if one.topic == "/eye"] == EXPECTED
    assert [one.time for one in got if one.topic == "/eye"] == [t + 1000 for t in EXPECTED]
    assert [one.message.data for one in got if one.topic == "/word"] == ["hello"]


@pytest.mark.parametrize(("storage", "end"), [("mcap", "*.mcap"), ("sqlite", "*.db3")])
def test_one_file_of_a_bag_is_a_bag(tmp_path: Path, storage: str, end: str) -> None:
    path = write_bag(tmp_path / "bag", {"/eye": images(range(30))}, storage)
    assert stamps(next(path.glob(end))) == EXPECTED


@pytest.mark.parametrize("storage", ["mcap", "sqlite"])
def test_a_split_bag_without_its_metadata_is_read_file_by_file(
    tmp_path: Path, storage: str
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    # The tenth file comes after the second one.
    for number, part in ((2, range(10)), (9, range(10, 20)), (10, range(20, 30))):
        one = write_bag(tmp_path / f"part{number}", {"/eye": images(part)}, storage)
        (file,) = (path for path in one.iterdir() if path.name != "metadata.yaml")
        shutil.move(file, whole / f"rosbag2_{number}{file.suffix}")
    assert stamps(whole) == EXPECTED
    with BagFile(whole) as bag:
        assert "cannot be read as one bag, so each file was" in bag.notes[0]
        assert [topic.messages for topic in bag.topics] in ([30], [None])


def test_of_a_cut_off_bag_what_comes_before_the_cut_is_read(tmp_path: Path) -> None:
    # Large enough for several chunks, of which the last is lost.
    frames = [
        (n * STEP, image(n * STEP, picture(n).repeat(60, 0).repeat(60, 1))) for n in range(30)
    ]
    path = write_bag(tmp_path / "bag", {"/eye": frames})
    file = next(path.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 7 // 10])
    with BagFile(path) as bag:
        got = [message.header.stamp.nanosec for _, _, message in bag.messages("/eye")]
        notes = bag.notes
    assert 10 < len(got) < 30
    assert got == EXPECTED[: len(got)]
    assert any(f"is cut off or damaged: {len(got)} messages could be read" in n for n in notes)


def test_a_bag_cut_off_at_its_head_is_told(tmp_path: Path) -> None:
    for storage in ("mcap", "sqlite"):
        path = write_bag(tmp_path / storage, {"/eye": images(range(30))}, storage)
        (file,) = (one for one in path.iterdir() if one.name != "metadata.yaml")
        file.write_bytes(file.read_bytes()[:200])
        with pytest.raises(BagError, match=f"nothing in .*{storage} can be read"):
            BagFile(path)


def test_a_damaged_message_is_left_out_and_counted(tmp_path: Path) -> None:
    from rosbags.rosbag2 import StoragePlugin, Writer

    from .bags import STORE

    with Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/eye", IMAGE, typestore=STORE)
        for number, (time, message) in enumerate(images(range(30))):
            data = STORE.serialize_cdr(message, IMAGE)
            writer.write(connection, time, data[:20] if number in (7, 8, 20) else data)
    with BagFile(tmp_path / "bag") as bag:
        assert len(list(bag.messages("/eye"))) == 27
        (note,) = bag.notes
    assert note.startswith("3 of the messages")
    assert "the first on /eye" in note


@pytest.mark.parametrize("made", ["nothing", "empty folder", "text", "metadata alone"])
def test_what_is_no_bag_is_told(tmp_path: Path, made: str) -> None:
    path = tmp_path / "bag"
    if made == "empty folder":
        path.mkdir()
    elif made == "text":
        path = tmp_path / "bag.mcap"
        path.write_text("hello")
    elif made == "metadata alone":
        write_bag(path, {"/eye": images(range(3))})
        next(path.glob("*.mcap")).unlink()
    sentence = {"nothing": "there is no bag at", "text": "nothing in"}.get(made, "is no bag")
    with pytest.raises(BagError, match=sentence):
        BagFile(path)


def test_broken_metadata_does_not_keep_the_files_from_being_read(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", {"/eye": images(range(30))})
    (path / "metadata.yaml").write_text("rosbag2_bagfile_information: {version: [")
    assert stamps(path) == EXPECTED
