"""A model as a TensorRT plan, built by whichever TensorRT from 8.6 to 11 there is.

A plan is what TensorRT makes of a network for one kind of GPU. Building one needs no GPU where
TensorRT for RTX does it, so that whether a model can be built is known before a robot tries.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from emopulse_ros.detection.half_precision import holds_half

LIBRARIES = ("tensorrt", "tensorrt_rtx")
"""TensorRT by the names it is installed under, the first that loads is taken."""

MOST_FACES = 16
"""Faces that one step may read at once, unless told otherwise."""

STRONG = "STRONGLY_TYPED"
"""What makes types those of the file; versions that know it, from 10 on, need less permission."""

NETWORK_FLAGS = ("EXPLICIT_BATCH", STRONG)
"""How a network is made where the version knows it, the first up to 10."""

LONGEST_REASON = 300
"""Characters of TensorRT's own words that are passed on."""


class TensorRTError(RuntimeError):
    """TensorRT is missing or refuses a model; the text is a sentence."""


def find_tensorrt() -> Any:
    """The module of the TensorRT that is installed.

    :raises TensorRTError: if none is, or its libraries do not load.
    """
    reasons = []
    for name in LIBRARIES:
        found = _loaded(name)
        if not isinstance(found, str):
            return found
        reasons.append(f"{name}: {found}")
    raise TensorRTError(
        f"TensorRT cannot be loaded ({'; '.join(reasons)}): it comes with JetPack, or from NVIDIA; "
        "ONNX Runtime on the CPU does without"
    )


def _loaded(name: str) -> Any:
    """The module of that name, or why it does not load; a broken library raises what it likes."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "not installed" if error.name == name else f"does not load: {error}"
    except Exception as error:
        return f"does not load: {error}"


def title(trt: Any) -> str:
    """TensorRT's name and version, for people."""
    name = "TensorRT for RTX" if trt.__name__ == "tensorrt_rtx" else "TensorRT"
    return f"{name} {trt.__version__}"


def build_plan(trt: Any, model: Path, *, faces: int = MOST_FACES) -> bytes:
    """Build the step form of a model for 1 to ``faces`` faces at once, and best for one.

    ``trt`` is the module of :func:`find_tensorrt`. Types are those the file gives its tensors: no
    precision is chosen here.

    :raises TensorRTError: if the file cannot be read, or this TensorRT refuses the network.
    """
    try:
        onnx = model.read_bytes()
    except OSError as error:
        raise TensorRTError(f"the model {model} cannot be read: {error.strerror}") from error
    log = quiet_log(trt)
    builder = made(trt, "Builder", log)
    known = (getattr(trt.NetworkDefinitionCreationFlag, name, None) for name in NETWORK_FLAGS)
    network = builder.create_network(sum(1 << int(flag) for flag in known if flag is not None))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(onnx):
        reason = shortened(parser.get_error(0).desc()) if parser.num_errors else log.reason
        raise TensorRTError(_refused(trt, model, reason))
    config = builder.create_builder_config()
    # 32 bits are 32 bits: TensorRT would take 19 of them by itself, too few to agree to 1e-3.
    config.clear_flag(trt.BuilderFlag.TF32)
    if not hasattr(trt.NetworkDefinitionCreationFlag, STRONG):
        _permit(trt, config, model)
    config.add_optimization_profile(_profile(builder, network, faces))
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise TensorRTError(_refused(trt, model, log.reason))
    return bytes(plan)


def _permit(trt: Any, config: Any, model: Path) -> None:
    """Permit what goes without saying from 10 on."""
    # A context for each size of batch goes by the one profile there is.
    config.set_preview_feature(trt.PreviewFeature.PROFILE_SHARING_0806, True)
    if holds_half(model):
        config.set_flag(trt.BuilderFlag.FP16)


def made(trt: Any, kind: str, log: Any) -> Any:
    """TensorRT's ``Builder`` or ``Runtime``.

    :raises TensorRTError: if it cannot be had, as where most versions find no GPU.
    """
    try:
        return getattr(trt, kind)(log)
    except TypeError as error:
        # What its bindings make of an answer that is none.
        reason = log.reason if log.first else str(error)
        raise TensorRTError(
            f"{title(trt)} gives no {kind}, as where no GPU is or its memory is full: {reason}"
        ) from error


def _profile(builder: Any, network: Any, faces: int) -> Any:
    """Each input for one face at least, one at best and ``faces`` at most."""
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        shape = tuple(tensor.shape)
        least, most = (tuple(n if side < 0 else side for side in shape) for n in (1, faces))
        profile.set_shape(tensor.name, least, least, most)
    return profile


def quiet_log(trt: Any) -> Any:
    """A logger that keeps quiet; ``first`` is the first thing that went wrong, ``reason`` in short.

    Whoever is told of it refers to it for as long as it lives: TensorRT does not.
    """
    errors = (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR)

    class Log(trt.ILogger):  # type: ignore[misc]
        first = ""

        def log(self, severity: Any, message: str) -> None:
            if severity in errors:
                self.first = self.first or message

        @property
        def reason(self) -> str:
            return shortened(self.first)

    return Log()


def shortened(reason: str) -> str:
    """A library's own words, on one line that is not too long."""
    words = " ".join(reason.split()) or "no reason given"
    return words if len(words) <= LONGEST_REASON else words[:LONGEST_REASON] + " …"


def _refused(trt: Any, model: Path, reason: str) -> str:
    return f"{title(trt)} refuses the model {model}: {reason}; ONNX Runtime may still run it"
