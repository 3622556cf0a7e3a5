"""Where a training goes on from: the weights of another run, or a model file.

An exported model holds each convolution and the norm behind it as one. Taken apart again, a norm
gets the mean and the spread of what really flows through it, so that it means while training what
it means while running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emopulse_ros.training.blocks import CausalConv, Spatial
from emopulse_ros.training.network import TinyI3D

DENSE = ("score.0", "score.2", "narrow", "units", "strength")
"""The layers behind the convolutions, in the order of their use."""


def load_weights(
    paths: Sequence[Path], network: TinyI3D, samples: Callable[[], Iterable[Tensor]]
) -> None:
    """Fill ``network`` from files: the ``best.pt`` of a run, or a model's ``…_clip.onnx``.

    Of several it gets the mean (Wortsman et al., "Model soups", 2022), which is worth more than
    each if they were trained on from the same network; of none it stays as it is. ``samples``
    gives flows ``(B, C, T, H, W)`` to measure norms on, of which a model file knows nothing.

    :raises FileNotFoundError: if there is no such file.
    :raises ValueError: if it holds no weights, or those of another network.
    """
    found = []
    for path in paths:
        _load(path, network, samples)
        found.append({name: value.clone() for name, value in network.state_dict().items()})
    if len(found) > 1:
        mean = {
            name: torch.stack([one[name].double() for one in found]).mean(0).to(value.dtype)
            for name, value in found[0].items()
        }
        network.load_state_dict(mean)


def _load(path: Path, network: TinyI3D, samples: Callable[[], Iterable[Tensor]]) -> None:
    try:
        if path.suffix == ".onnx":
            found = _taken_apart(path, network)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)["network"]
        network.load_state_dict({"usual": torch.zeros_like(network.usual), **found})
    except (RuntimeError, KeyError, TypeError, UnpicklingError, EOFError, StopIteration) as error:
        raise ValueError(
            f"{path} holds no weights of this network: give the best.pt of a run with the same "
            "flow channels, or the clip form of such a model (…_clip.onnx)"
        ) from error
    if path.suffix == ".onnx":
        _measure_norms(network, samples())
    if "usual" not in found:
        _measure_rest(network, samples())


def _taken_apart(path: Path, network: TinyI3D) -> dict[str, Tensor]:
    """Convolutions, biases by place and dense layers of a file, and what is usual at rest, if it
    says so; norms do nothing but add the bias."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        graph = onnx.load(str(path)).graph
    except DecodeError as error:
        raise TypeError("no ONNX file") from error
    stored = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}
    own = network.state_dict()
    found = {
        name.removeprefix("network."): torch.from_numpy(value.copy())
        for name, value in stored.items()
        if name.startswith("network.")
    }
    # What has no name of its own comes in the order in which it is used, as in the network.
    kernels = (node.input for node in graph.node if node.op_type == "Conv")
    for name, module in network.named_modules():
        if isinstance(module, CausalConv | Spatial):
            _, kernel, bias = next(kernels)
            found[f"{name}.conv.weight"] = torch.from_numpy(stored[kernel].copy())
            for entry, value in _bare(module.norm, stored[bias]).items():
                found[f"{name}.norm.{entry}"] = value
    products = (node.input[1] for node in graph.node if node.op_type == "MatMul")
    dense = (stored[name] for name in products if name in stored)
    for name in DENSE:
        found[f"{name}.weight"] = torch.from_numpy(next(dense).T.copy())
    return {name: found.get(name, own[name]) for name in own if name != "usual" or name in found}


def _bare(norm: nn.BatchNorm2d, bias: NDArray[np.float32]) -> dict[str, Tensor]:
    """A norm that only adds ``bias``."""
    zero = torch.zeros(len(bias))
    return {
        "weight": zero + 1.0,
        "bias": torch.from_numpy(bias.copy()),
        "running_mean": zero,
        "running_var": zero + (1.0 - norm.eps),
    }


@torch.no_grad()
def _measure_rest(network: TinyI3D, samples: Iterable[Tensor]) -> None:
    """Find what features are usual at rest, for a network that read them as they were; what it
    says of an unknown face stays the same."""
    was_training, had_baseline = network.training, network.has_baseline
    network.eval()
    network.has_baseline = False
    total = torch.zeros_like(network.usual)
    weight = total.new_zeros(())
    for flow in samples:
        reading = network(flow)
        raw = (reading.features / reading.attention[:, None]).transpose(1, 2)
        rest = network.rest(raw)
        total += (raw * rest[..., None]).sum((0, 1))
        weight += rest.sum()
    network.usual.copy_(total / weight.clamp(min=1e-6))
    network.has_baseline = had_baseline
    network.train(was_training)


@torch.no_grad()
def _measure_norms(network: TinyI3D, samples: Iterable[Tensor]) -> None:
    """Give each norm the statistics of what reaches it; what comes out of it stays the same."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[nn.Module, list[Tensor]] = {norm: [] for norm in norms}

    def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        place = inputs[0].double()
        seen[norm].append(torch.stack([place.mean((0, 2, 3)), place.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    was_training = network.training
    network.eval()
    for flow in samples:
        network(flow)
    network.train(was_training)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, square = torch.stack(seen[norm]).mean(dim=0)
        spread = (square - mean.square()).clamp(min=0.0)
        norm.weight.copy_((spread + norm.eps).sqrt())
        norm.bias.add_(mean)
        norm.running_mean = mean.float()
        norm.running_var = spread.float()
