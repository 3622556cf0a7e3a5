"""From trained weights to the two files a model comes as: clip form and streaming step."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from emopulse_ros.detection.model import Card
from emopulse_ros.training.blocks import CausalConv
from emopulse_ros.training.network import TinyI3D

OPSET = 17
"""Known to ONNX Runtime 1.15 and to TensorRT 8.6."""


CHANNEL_BLOCK = 16
"""Numbers in a vector register of AVX-512, and so in ONNX Runtime's blocks of channels."""


class _Step(nn.Module):
    """The step form with its inputs and outputs in a row, as ONNX wants them."""

    def __init__(self, network: TinyI3D) -> None:
        super().__init__()
        self.network = network

    def forward(self, flow: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        reading, after = self.network.step(flow, list(states))
        return (reading.logits, reading.intensity, reading.attention, *after)


class _Clip(nn.Module):
    """The clip form, likewise."""

    def __init__(self, network: TinyI3D) -> None:
        super().__init__()
        self.network = network

    def forward(self, flow: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        reading = self.network(flow)
        return reading.logits, reading.intensity, reading.attention


def export(network: TinyI3D, card: Card, folder: Path, stem: str = "tiny_i3d") -> tuple[Path, Path]:
    """Write ``STEM.onnx`` (the step form) and ``STEM_clip.onnx`` into ``folder``.

    Batch and, in the clip form, time are free. The card's ``form`` is set for each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = copy.deepcopy(network).cpu().eval()
    grid = card.recipe.grid
    channels = network.shape.channels
    states = network.first_states(1)
    names = [f"state_{index}" for index in range(len(states))]
    inputs = ["flow", *names]
    outputs = ["logits", "intensity", "attention", *(f"next_{name}" for name in names)]
    step = folder / f"{stem}.onnx"
    filled = copy.deepcopy(network)
    for module in filled.modules():
        if isinstance(module, CausalConv):
            module.fill(CHANNEL_BLOCK)
    write_model(
        _Step(filled),
        (torch.zeros(1, channels, grid, grid), *states),
        step,
        inputs,
        outputs,
        {name: {0: "batch"} for name in (*inputs, *outputs)},
        replace(card, form="step"),
    )
    clip = folder / f"{stem}_clip.onnx"
    write_model(
        _Clip(network),
        (torch.zeros(1, channels, network.shape.frames, grid, grid),),
        clip,
        ["flow"],
        ["logits", "intensity", "attention"],
        {
            "flow": {0: "batch", 2: "time"},
            "logits": {0: "batch", 2: "time"},
            "intensity": {0: "batch", 2: "time"},
            "attention": {0: "batch", 1: "time"},
        },
        replace(card, form="clip"),
    )
    return step, clip


def write_model(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    free: dict[str, dict[int, str]],
    card: Card,
) -> None:
    """Write any module as a model file: ONNX with the card as its metadata.

    ``inputs`` and ``outputs`` name what goes in and comes out, ``free`` their axes of any length.
    """
    import onnx

    torch.onnx.export(
        module.eval(),
        example,
        str(path),
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=free,
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, card.as_text())
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
