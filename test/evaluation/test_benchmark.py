"""The benchmark on real pixels: two short runs, told in three ways."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from emopulse_ros.cli import main
from emopulse_ros.evaluation.benchmark import clips
from emopulse_ros.evaluation.benchmark.as_json import as_json
from emopulse_ros.evaluation.benchmark.clips import Clip
from emopulse_ros.evaluation.benchmark.conditions import chosen
from emopulse_ros.evaluation.benchmark.contenders import entries
from emopulse_ros.evaluation.benchmark.run import Plan, Results, run
from emopulse_ros.evaluation.benchmark.table import as_markdown

runs_faces = pytest.mark.skipif(
    find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed"
)

PLAN = Plan(
    clips=(
        Clip("portrait", "micro", 0, True, 2_500_000_000),
        Clip("portrait", "quiet", 0, False, 1_500_000_000),
    ),
    conditions=chosen("sensor_noise"),
    entries=entries(None, []),
)


@pytest.fixture(scope="module")
def results() -> Results:
    return run(PLAN, processes=1)


@runs_faces
def test_the_same_plan_gives_the_same_bytes_in_any_number_of_processes(results: Results) -> None:
    shares: list[float] = []
    again = run(PLAN, processes=2, told=shares.append)
    assert json.dumps(as_json(again)) == json.dumps(as_json(results))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@runs_faces
def test_the_model_beats_the_constant_and_noise_is_felt(results: Results) -> None:
    clean, noisy = (results.scores[results.main, name] for name in ("clean", "sensor_noise"))
    constant = results.scores["constant", "clean"]
    assert clean.macro_f1.value > constant.macro_f1.value + 0.2
    assert clean.event_f1.value > constant.event_f1.value == 0.0
    assert constant.calibration.value > 0.8
    assert clean.clips == 2
    assert noisy.clips == 1
    same = results.scores[results.main, "clean, same clips"]
    assert same.frames == noisy.frames == 500
    assert noisy.precision != same.precision
    # The face is not known before its first look was answered.
    assert 0.95 < clean.coverage < 1.0


@runs_faces
def test_every_figure_is_told(results: Results) -> None:
    text = as_markdown(results)
    for words in ("## Goals", "| constant |", "AU12 lip corner puller", "| sensor noise | 4 gray"):
        assert words in text
    told = as_json(results)
    assert told["scores"][results.main]["clean"]["clips"] == 2
    assert "NaN" not in json.dumps(told)


@runs_faces
def test_the_command_writes_tables_picture_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    short = Clip("portrait", "micro", 0, False, 1_600_000_000)
    monkeypatch.setattr(clips, "the_set", lambda *_, **__: (short,))
    figures = tmp_path / "figures.json"
    given = ["--quick", "--corruptions", "none", "--processes", "1", "--json", str(figures)]
    assert main(["benchmark", *given, "--out", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert "## Models, clean" in captured.out
    assert "100%" in captured.err
    assert "rendered people are left out" in captured.err
    assert (tmp_path / "out" / "benchmark.md").read_text() in captured.out
    assert (tmp_path / "out" / "benchmark.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(figures.read_text())
    assert told["benchmark_version"] == clips.BENCHMARK_VERSION
    assert [clip["name"] for clip in told["clips"]] == ["portrait-micro-00"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--corruptions", "fog"], "nobody knows the corruption 'fog'"),
        (["--against", "linear"], "--against wants NAME=FILE, not 'linear'"),
        (["--against", "constant=a.onnx"], "two contenders are called 'constant'"),
        (["--against", "linear=gone.onnx"], "gone.onnx"),
        (["--model", "gone.onnx"], "there is no model at gone.onnx"),
        (["--face-kit", "gone.npz"], "gone.npz"),
        (["--processes", "0"], "--processes is 0"),
        (["--json", "gone/a.json"], "no folder for the report gone/a.json"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["benchmark", "--quick", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said or ("--face-kit" in arguments and "numba" in said)
    assert "Traceback" not in said
