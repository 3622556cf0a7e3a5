"""The model card: what the model is, what it was trained on, how well it does, what it is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.detection.model import Card
from emopulse_ros.facs import ACTION_UNITS
from emopulse_ros.training.attention import Peaks
from emopulse_ros.training.configuration import Configuration
from emopulse_ros.training.identity import Probe
from emopulse_ros.training.network import TinyI3D
from emopulse_ros.training.scores import Result, mean_of


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out about a network: its scores first, those of the linear reader last;
    ``validation`` clips chose what was to be chosen."""

    results: list[Result]
    validation: int
    peaks: Peaks | None
    probe: Probe | None


def write_card(
    path: Path, card: Card, network: TinyI3D, plan: Configuration, found: Findings
) -> None:
    """Write the card as Markdown."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    lines = [
        f"# Model card: {card.name}",
        "",
        f"A Tiny-I3D with temporal attention, {weights} parameters. It reads optical flow of one",
        f"face on a grid of {card.recipe.grid}x{card.recipe.grid} and says every",
        f"{card.tick_ms:g} ms which of {len(card.codes)} action units are active. An answer",
        f"depends on the last {network.shape.frames} flow frames, and on what the face was like at",
        "rest before them. Channels:",
        f"{', '.join(card.recipe.channels)}.",
        "",
        "## Training",
        f"- Data: {card.trained_on}.",
        "  No recording of a person but one public-domain portrait (Eileen Collins, NASA), moved",
        "  by computed fields; all else is rendered. Half of the clips are corrupted: noise,",
        "  lamps, compression, low contrast, glasses, and the like.",
        f"- Validation: {found.validation} other clips; it chose the epoch, the",
        "  calibration and the thresholds.",
        f"- Spatial dropout {plan.optimisation.dropout:g}, seed {plan.optimisation.seed}, up to "
        f"{plan.optimisation.steps} steps of {plan.optimisation.batch} windows of",
        f"  {plan.optimisation.frames} frames.",
        "- Units and strengths are read by lines fitted once more to all of the clips, without",
        "  dropout.",
        "",
        "## Scores",
        "On synthetic clips of rendered people whose identity was never trained on, and of the",
        "portrait in looks never trained on; one answer per frame, from onset to offset. Mean of",
        "the units without the blink; in brackets the 95% interval of a bootstrap over clips.",
        "",
        "| reader | F1 | macro-F1 | PR-AUC | calibration error |",
        "| --- | --- | --- | --- | --- |",
        *(_row(entry) for entry in found.results),
        "",
        "| unit | F1 | macro-F1 | PR-AUC | F1 of flow magnitude | threshold |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    ours, linear = found.results[0], found.results[-1]
    for index, unit in enumerate(ACTION_UNITS):
        lines.append(
            f"| {unit.label} {unit.name} | {ours.f1[index]:.2f} | {ours.macro_f1[index]:.2f} | "
            f"{ours.precision[index]:.2f} | {linear.f1[index]:.2f} | "
            f"{card.thresholds[index]:.2f} |"
        )
    lines += [
        *_of_attention(found.peaks),
        *_of_identity(found.probe),
        "",
        "## Limits",
        "Trained on synthetic motion alone: nothing here says how it does on real people's",
        "micro-expressions. It measures muscles, not minds: an action unit is no emotion, and no",
        "evidence of a lie. See responsible-use.md.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _of_attention(peaks: Peaks | None) -> list[str]:
    if peaks is None:
        return []
    return [
        "",
        "## Attention",
        f"In {peaks.near:.0%} of {peaks.expressions} expressions of the test clips the highest",
        "weight between onset and offset lies within 10 ms of the apex or of a moment of fastest",
        f"motion; {peaks.chance:.0%} would by chance.",
    ]


def _of_identity(probe: Probe | None) -> list[str]:
    if probe is None:
        return []
    return [
        "",
        "## Identity",
        "A linear probe on the features the units are read from names the person, of rendered",
        f"ones it has seen, in {probe.accuracy:.0%} of the frames; guessing would in "
        f"{probe.chance:.0%}.",
    ]


def _row(entry: Result) -> str:
    low, high = entry.interval
    return (
        f"| {entry.name} | {entry.mean_f1:.3f} ({low:.3f} to {high:.3f}) | "
        f"{mean_of(entry.macro_f1):.3f} | {mean_of(entry.precision):.3f} | "
        f"{mean_of(entry.calibration):.3f} |"
    )
