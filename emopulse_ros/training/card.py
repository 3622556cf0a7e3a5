"""The model card: what the model is, what it was trained on, how well it does, what it is not."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.detection.model import Card
from emopulse_ros.facs import ACTION_UNITS
from emopulse_ros.training.configuration import Configuration
from emopulse_ros.training.dataset import Clips
from emopulse_ros.training.network import TinyI3D
from emopulse_ros.training.scores import Result, mean_of


def write_card(
    path: Path,
    card: Card,
    network: TinyI3D,
    plan: Configuration,
    results: list[Result],
    validation: Clips,
) -> None:
    """Write the card as Markdown."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    lines = [
        f"# Model card: {card.name}",
        "",
        f"A Tiny-I3D with temporal attention, {weights} parameters. It reads optical flow of one",
        f"face on a grid of {card.recipe.grid}x{card.recipe.grid} and says every",
        f"{card.tick_ms:g} ms which of {len(card.codes)} action units are active. An answer",
        f"depends on the last {network.shape.frames} flow frames. Channels:",
        f"{', '.join(card.recipe.channels)}.",
        "",
        "## Training",
        f"- Data: {card.trained_on}.",
        "  No recording of a person but one public-domain portrait (Eileen Collins, NASA), moved",
        "  by computed fields; all else is rendered.",
        f"- Validation: {len(validation)} clips of other people; it chose the epoch, the",
        "  calibration and the thresholds.",
        f"- Spatial dropout {plan.optimisation.dropout:g}, seed {plan.optimisation.seed}, up to "
        f"{plan.optimisation.steps} steps of {plan.optimisation.batch} windows of",
        f"  {plan.optimisation.frames} frames.",
        "",
        "## Scores",
        "On synthetic clips of rendered people whose identity was never trained on, and of the",
        "portrait in looks never trained on; one answer per frame, from onset to offset. Mean of",
        "the units without the blink; in brackets the 95% interval of a bootstrap over clips.",
        "",
        "| reader | F1 | macro-F1 | PR-AUC | calibration error |",
        "| --- | --- | --- | --- | --- |",
        *(_row(entry) for entry in results),
        "",
        "| unit | F1 | macro-F1 | PR-AUC | F1 of flow magnitude | threshold |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    ours, linear = results[0], results[1]
    for index, unit in enumerate(ACTION_UNITS):
        lines.append(
            f"| {unit.label} {unit.name} | {ours.f1[index]:.2f} | {ours.macro_f1[index]:.2f} | "
            f"{ours.precision[index]:.2f} | {linear.f1[index]:.2f} | "
            f"{card.thresholds[index]:.2f} |"
        )
    lines += [
        "",
        "## Limits",
        "Trained on synthetic motion alone: nothing here says how it does on real people's",
        "micro-expressions. It measures muscles, not minds: an action unit is no emotion, and no",
        "evidence of a lie. See responsible-use.md.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _row(entry: Result) -> str:
    low, high = entry.interval
    return (
        f"| {entry.name} | {entry.mean_f1:.3f} ({low:.3f} to {high:.3f}) | "
        f"{mean_of(entry.macro_f1):.3f} | {mean_of(entry.precision):.3f} | "
        f"{mean_of(entry.calibration):.3f} |"
    )
