"""``emopulse engine``: what runs the network on this machine, built, looked at and measured."""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emopulse_ros.console.bad_input import BadInputError, check_report, reading_input
from emopulse_ros.console.options import add_engine, add_model
from emopulse_ros.console.show import complain, say

if TYPE_CHECKING:
    from emopulse_ros.detection.engine import Engine
    from emopulse_ros.detection.plan_cache import Kept
    from emopulse_ros.detection.tensorrt_start import Gpu

TELL_S = 10.0
"""How often it is said that a plan is still being built."""

Way = tuple[bool, bool]

WAYS: tuple[Way, ...] = ((True, True), (False, True), (False, False))
"""How a GPU is measured, with graphs and with locked memory: as it serves, and without."""

Measure = Callable[["Engine", float], list[Any]]
"""Measures an engine for some seconds and prints what it finds."""


def add_arguments(parser: argparse.ArgumentParser, measure: Measure) -> None:
    """Declare the options of the command; ``measure`` is what ``bench`` runs."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    about = "build the TensorRT plan of a model for this machine's GPU, and keep it"
    build = actions.add_parser("build", help=about, description=about)
    add_model(build)
    build.set_defaults(act=_build)
    about = "say what this machine has, and which of the plans that are kept it can use"
    inspect = actions.add_parser("inspect", help=about, description=about)
    add_model(inspect)
    inspect.set_defaults(act=_inspect)
    about = "time steps of the network for 1, 4 and 16 faces, 200 times a second"
    bench = actions.add_parser("bench", help=about, description=about)
    add_model(bench)
    add_engine(bench, "auto, which is all that are there")
    bench.add_argument(
        "--seconds", type=float, default=5.0, metavar="N", help="for each row; default: 5"
    )
    bench.add_argument(
        "--without",
        action="store_true",
        help="a GPU as well without CUDA graphs, and without page-locked memory",
    )
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    bench.set_defaults(act=_bench, measure=measure)


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with, or there is no GPU.
    """
    status: int = arguments.act(arguments)
    return status


def _build(arguments: argparse.Namespace) -> int:
    from emopulse_ros.detection.build_beside import build_beside
    from emopulse_ros.detection.model import model_at
    from emopulse_ros.detection.onnx_engine import OnnxEngine
    from emopulse_ros.detection.tensorrt_start import TensorRTStart

    model = model_at(arguments.model)
    with reading_input():
        reference = OnnxEngine(model)
    gpu = _gpu()
    start = TensorRTStart(gpu, model, reference, warn=complain, build=build_beside)
    say([_about(gpu)])
    engine = start.from_cache()
    if engine is None:
        with _telling(f"building a plan of {reference.card.name}, which may take minutes"):
            engine = start.built(threading.Event())
    said = [f"{engine.describe()} is ready"]
    engine.close()
    if start.parity is not None:
        worst, steps = start.parity.worst, start.parity.steps
        said.append(f"it agrees with {reference.describe()} within {worst:.1g} in {steps} steps")
    path = start.cache.folder / start.key.file
    if path.is_file():
        said.append(f"kept as {path} ({path.stat().st_size / 1e6:.1f} MB)")
    say(said)
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from emopulse_ros.detection.model import half_of, hash_of, model_at
    from emopulse_ros.detection.plan_cache import CacheError, PlanCache

    with reading_input():
        model = model_at(arguments.model)
        hashes = {hash_of(file) for file in (model, half_of(model)) if file is not None}
    cache = PlanCache()
    try:
        gpu, missing = _gpu(), ""
    except BadInputError as error:
        gpu, missing = None, str(error)
    try:
        kept = cache.kept()
    except CacheError as error:
        raise BadInputError(str(error)) from error
    if gpu is not None:
        say([_about(gpu)])
    say([_told(one, gpu, hashes) for one in kept] or [f"no plan is kept in {cache.folder}"])
    if missing:
        raise BadInputError(missing)
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from emopulse_ros.detection.best_engine import EngineError
    from emopulse_ros.pipeline import open_engine

    check_report(arguments.json)
    wanted, rows, missing = arguments.engine or "auto", [], []
    with reading_input():
        if wanted in ("auto", "onnx"):
            rows += arguments.measure(open_engine(arguments.model), arguments.seconds)
        for name in ("tensorrt", "cuda"):
            if wanted not in ("auto", name):
                continue
            try:
                for way in WAYS if arguments.without else WAYS[:1]:
                    rows += _on_gpu(arguments, name, way)
            except EngineError as error:
                if wanted == name:
                    raise
                missing.append(f"Not measured. {error}")
    if missing:
        say(missing)
    if arguments.json is not None:
        text = json.dumps([asdict(row) for row in rows], indent=2)
        arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


def _on_gpu(arguments: argparse.Namespace, name: str, way: Way) -> list[Any]:
    """What is measured of one engine on a GPU, in one of the ways to use it.

    :raises EngineError: if it is not there.
    """
    from emopulse_ros.detection import cuda_engine, tensorrt_start
    from emopulse_ros.detection.best_engine import BestEngine
    from emopulse_ros.detection.model import model_at

    graphs, locked = way
    engine = BestEngine(
        model_at(arguments.model),
        name,
        warn=complain,
        find=lambda: replace(tensorrt_start.find_gpu(), graphs=graphs, locked=locked),
        start_cuda=partial(cuda_engine.start_cuda, graphs=graphs, locked=locked),
    )
    try:
        rows = arguments.measure(engine, arguments.seconds)
    finally:
        engine.close()
    if engine.trouble:
        raise RuntimeError(engine.trouble)
    return list(rows)


def _gpu() -> Gpu:
    """The GPU and its TensorRT.

    :raises BadInputError: if one of them is not there.
    """
    from emopulse_ros.detection.device_memory import DeviceError
    from emopulse_ros.detection.tensorrt_plan import TensorRTError
    from emopulse_ros.detection.tensorrt_start import find_gpu

    try:
        return find_gpu()
    except (DeviceError, TensorRTError) as error:
        raise BadInputError(f"TensorRT cannot run the network here: {error}") from error


def _about(gpu: Gpu) -> str:
    from emopulse_ros.detection.tensorrt_plan import title

    return f"{title(gpu.trt)} on {gpu.device}, compute capability {gpu.capability}"


def _told(kept: Kept, gpu: Gpu | None, hashes: set[str]) -> str:
    """One kept plan in a line: what it is for, and whether it can be used."""
    key = kept.key
    if key is None or kept.trouble:
        return f"{kept.path.name}  cannot be used: {kept.trouble}"
    suits = gpu is not None and gpu.key(key.model_hash) == key
    model = "this model" if key.model_hash in hashes else f"model {key.model_hash[:8]}"
    return (
        f"{kept.path.name}  {kept.size / 1e6:.1f} MB, {model}, {key.tensorrt} on {key.device} "
        f"({key.capability}): {'valid here' if suits else 'not for this machine'}"
    )


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Say what is under way, and again every now and then, until it is done."""
    done, begun = threading.Event(), time.monotonic()

    def tell() -> None:
        while not done.wait(TELL_S):
            complain(f"still {what} ({time.monotonic() - begun:.0f} s)")

    say([what])
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
