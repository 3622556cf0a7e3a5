"""The training loop: seeded, checkpointed, stopped early by the validation part alone."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from emopulse_ros.evaluation.metrics import average_precision
from emopulse_ros.training.configuration import Optimisation
from emopulse_ros.training.dataset import Batch, Clips
from emopulse_ros.training.network import TinyI3D

INTENSITY_WEIGHT = 4.0
"""Weight of the intensity's squared error beside the cross entropy."""


ATTENTION_WEIGHT = 0.5
"""Weight of the attention's own error: its score should peak where motion is fastest."""

SEEDS = 1_000_000
"""Between the seeds of two runs, so that no step of theirs draws the same dropout."""


def loss_of(network: TinyI3D, batch: Batch) -> Tensor:
    """Weighted cross entropy of the units, squared errors of their intensity and of attention."""
    # bfloat16 halves the time of a step on CPUs that have it, at no cost in the scores.
    with torch.autocast(batch.flow.device.type, torch.bfloat16):
        reading = network(batch.flow)
    again = len(reading.logits) // len(batch.active)
    active, weight, strength = (
        part.repeat(again, 1, 1) for part in (batch.active, batch.weight, batch.strength)
    )
    entropy = functional.binary_cross_entropy_with_logits(
        reading.logits.float(), active, weight, reduction="sum"
    )
    miss = (reading.intensity.float() - strength) ** 2 * (weight > 0)
    loss: Tensor = (entropy + INTENSITY_WEIGHT * miss.sum()) / weight.sum()
    if network.attends:
        known = batch.weight[:, 0] > 0
        stray = (reading.scores.float() - (2.0 * batch.transient - 1.0)) ** 2 * known
        loss = loss + ATTENTION_WEIGHT * stray.sum() / known.sum()
    return loss


def read_clips(
    network: TinyI3D, clips: Clips, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Logits and truth of every frame of some clips: ``(N, A)`` each."""
    truth = clips.truth
    logits = torch.empty(truth.shape, device=device)
    network.eval()
    with torch.no_grad():
        for rows, batch in clips.wholes():
            reading = network(batch.flow.to(device))
            logits[rows] = reading.logits[0].T
    network.train()
    return logits.cpu().numpy(), truth


def train(
    network: TinyI3D,
    training: Clips,
    validation: Clips,
    plan: Optimisation,
    folder: Path,
    device: torch.device,
) -> TinyI3D:
    """Train, and return the network as it was when the validation part liked it best.

    ``device`` is that of the training clips.

    Goes on from ``folder/checkpoint.pt`` if that is there; ``folder/log.jsonl`` has a line for
    each look at the validation part.

    :raises ValueError: if the checkpoint is one of another plan.
    """
    network.to(device).train()
    checkpoint = folder / "checkpoint.pt"
    step, best, since_best = 0, -1.0, 0
    # How many threads and how much patience change nothing that was learnt so far.
    own = asdict(replace(plan, threads=0, patience=1))
    kept = None
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device, weights_only=True)
    if kept is not None:
        if kept.get("plan") != own:
            raise ValueError(
                f"{checkpoint} is that of a run with another optimisation: give another folder "
                "(--out), or take it away to begin anew"
            )
        network.load_state_dict(kept["network"])
        step, best, since_best = kept["step"], kept["best"], kept["since_best"]
    steps = plan.steps + plan.steps_again
    if not steps:
        _keep(folder / "best.pt", {"network": network.state_dict()})
        return network
    optimiser, schedule = _cycle(network, plan, step)
    if kept is not None and step != plan.steps:
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
    started, first = time.monotonic(), step
    warm_up = network.shape.frames - 1
    # Read at a look alone, for reading it waits for all that the device has yet to do.
    total, looked = torch.zeros((), dtype=torch.float64, device=device), step
    while step < steps and since_best < plan.patience:
        if step == plan.steps:
            optimiser, schedule = _cycle(network, plan, step)
        # Seeded by the step, so that a run taken up again draws what it would have drawn.
        random = np.random.default_rng([plan.seed, step])
        torch.manual_seed(SEEDS * plan.seed + step)
        loss = loss_of(network, training.draw(random, plan.batch, plan.frames, warm_up))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.detach()
        step += 1
        if step % plan.look_every == 0 or step in (plan.steps, steps):
            score = _mean_precision(*read_clips(network, validation, device))
            since_best = 0 if score > best else since_best + 1
            if score > best:
                best = score
                _keep(folder / "best.pt", {"network": network.state_dict()})
            _keep(
                checkpoint,
                {
                    "network": network.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "step": step,
                    "best": best,
                    "since_best": since_best,
                    "plan": own,
                },
            )
            left = (time.monotonic() - started) / (step - first) * (steps - step)
            line = {
                "step": step,
                "loss": round(total.item() / (step - looked), 5),
                "validation_pr_auc": round(score, 4),
                "minutes_left": round(left / 60.0, 1),
            }
            looked = step
            total.zero_()
            _log(folder / "log.jsonl", line)
    liked = torch.load(folder / "best.pt", map_location=device, weights_only=True)
    network.load_state_dict(liked["network"])
    return network


def _cycle(
    network: TinyI3D, plan: Optimisation, step: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Optimiser and learning rate of the cycle that ``step`` belongs to; the second goes half as
    high as the first."""
    first = step < plan.steps
    rate = plan.rate if first else plan.rate / 2.0
    length = plan.steps if first else max(plan.steps_again, 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=rate, total_steps=length + 1, pct_start=0.1
    )
    return optimiser, schedule


def _mean_precision(logits: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    return float(np.nanmean(average_precision(truth, logits)))


def _keep(path: Path, state: dict[str, object]) -> None:
    """Write a state whole or not at all."""
    half = path.with_suffix(".part")
    torch.save(state, half)
    half.rename(path)


def _log(path: Path, line: dict[str, float]) -> None:
    text = json.dumps(line)
    print(text, flush=True)
    with path.open("a") as file:
        file.write(text + "\n")
