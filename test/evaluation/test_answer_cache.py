"""What is kept of a benchmark gives the same figures, and stands only for what it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.cli import main
from emopulse_ros.evaluation.benchmark import answer_cache, clips, play
from emopulse_ros.evaluation.benchmark.answer_cache import AnswerCache
from emopulse_ros.evaluation.benchmark.as_json import as_json
from emopulse_ros.evaluation.benchmark.clips import Clip
from emopulse_ros.evaluation.benchmark.conditions import chosen
from emopulse_ros.evaluation.benchmark.contenders import Contender, entries, opened
from emopulse_ros.evaluation.benchmark.run import Plan, run
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation, Frame, MicroExpression

runs_faces = pytest.mark.skipif(
    find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed"
)

INT8 = Path(__file__).parents[2] / "emopulse_ros" / "models" / "tiny_i3d_int8.onnx"
CLIP = Clip("portrait", "micro", 0, True, 1_500_000_000)
PLAN = Plan(clips=(CLIP,), conditions=chosen("jpeg"), entries=entries(None, []))


@pytest.fixture(scope="module")
def model() -> Contender:
    return opened(PLAN.entries)[0]


def recording(frames: int) -> Recording:
    recorder = Recorder()
    for number in range(frames):
        chance = np.full(len(CODES), number / 10, np.float32)
        recorder.add(
            Activation(number * 5_000_000, number, 1, CODES, chance, chance, 1.5, "model", "hash"),
            0.5 if number else float("nan"),
        )
    peaks = np.array([0.7, 0.9], np.float32)
    recorder.add_event(MicroExpression(45_000_000, 9, 1, 0, 20, 40, (12, 25), peaks, 0.8, "eye"))
    return recorder.recording()


def same(one: Recording, other: Recording) -> bool:
    columns = (
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in answer_cache.COLUMNS
    )
    return all(columns) and one.codes == other.codes and str(one.events) == str(other.events)


@pytest.mark.parametrize("frames", [0, 7])
def test_what_was_put_is_got(tmp_path: Path, model: Contender, frames: int) -> None:
    cache, answer = AnswerCache(tmp_path, None), recording(frames)
    assert cache.get(CLIP, "clean", model) is None
    cache.put(CLIP, "clean", model, (9, answer))
    kept = AnswerCache(tmp_path, None).get(CLIP, "clean", model)
    assert kept is not None
    assert kept[0] == 9
    assert same(kept[1], answer)
    assert kept[1].probability.dtype == np.float32
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [".npz"]


def test_nothing_else_stands_for_it(
    tmp_path: Path, model: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    AnswerCache(tmp_path, None).put(CLIP, "clean", model, (9, recording(7)))
    cache = AnswerCache(tmp_path, None)
    other = Contender(model.name, opened([replace(PLAN.entries[0], path=INT8)])[0].engine)
    constant = opened(PLAN.entries)[1]
    assert cache.get(CLIP, "jpeg", model) is None
    assert cache.get(replace(CLIP, number=1), "clean", model) is None
    assert cache.get(replace(CLIP, length=2_000_000_000), "clean", model) is None
    assert cache.get(CLIP, "clean", other) is None
    assert cache.get(CLIP, "clean", constant) is None
    assert AnswerCache(tmp_path, INT8).get(CLIP, "clean", model) is None
    monkeypatch.setattr(answer_cache, "_program", lambda: "another")
    assert AnswerCache(tmp_path, None).get(CLIP, "clean", model) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", "half", "scribbled on"])
def test_a_file_that_is_damaged_is_as_good_as_none(
    tmp_path: Path, model: Contender, content: bytes | str
) -> None:
    cache = AnswerCache(tmp_path, None)
    cache.put(CLIP, "clean", model, (9, recording(7)))
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    half = whole[: len(whole) // 2]
    if content == "scribbled on":
        # The deflated bytes of the first array begin some 40 bytes in.
        half = whole[:44] + bytes(byte ^ 0xFF for byte in whole[44:80]) + whole[80:]
    path.write_bytes(content if isinstance(content, bytes) else half)
    assert cache.get(CLIP, "clean", model) is None
    cache.put(CLIP, "clean", model, (9, recording(7)))
    assert cache.get(CLIP, "clean", model) is not None


@runs_faces
def test_a_run_goes_on_where_another_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = json.dumps(as_json(run(PLAN)))
    keeping = replace(PLAN, keep=tmp_path)
    shown: list[list[str]] = []
    really = play.run

    def counted(
        frames: Iterable[Frame], contenders: Sequence[Contender]
    ) -> tuple[int, list[Recording]]:
        shown.append([one.name for one in contenders])
        if len(shown) == 2:
            raise KeyboardInterrupt
        return really(frames, contenders)

    monkeypatch.setattr(play, "run", counted)
    with pytest.raises(KeyboardInterrupt):
        run(keeping)
    assert json.dumps(as_json(run(keeping))) == fresh
    names = [entry.name for entry in PLAN.entries]
    assert shown == [names, names, names]
    assert json.dumps(as_json(run(keeping))) == fresh
    assert len(shown) == 3
    more = replace(keeping, entries=entries(None, [f"int8={INT8}"]))
    told = as_json(run(more))
    assert shown[3:] == [["int8"], ["int8"]]
    assert told["scores"][names[0]] == json.loads(fresh)["scores"][names[0]]
    assert told["scores"]["int8"] != told["scores"][names[0]]


def test_whoever_stops_it_is_told_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clips, "the_set", lambda *_, **__: (CLIP,))
    monkeypatch.setattr(play, "run", stopped)
    given = ["benchmark", "--processes", "1", "--out", str(tmp_path / "out")]
    assert main([*given, "--keep", str(tmp_path / "kept")]) == 130
    assert f"goes on with what is kept in {tmp_path / 'kept'}" in capsys.readouterr().err
    assert main(given) == 130
    assert "kept" not in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--keep", "--out"])
def test_a_folder_that_cannot_be_one(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(["benchmark", "--quick", option, "file"]) == 2
    assert "file cannot be the folder for" in capsys.readouterr().err
