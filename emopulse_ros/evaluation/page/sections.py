"""The parts of the page: one for each recording, and what they share."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.page.about import About, Timing
from emopulse_ros.evaluation.page.events import event_rows, seconds
from emopulse_ros.evaluation.page.markup import counted, listing, text
from emopulse_ros.evaluation.page.tables import (
    event_table,
    plain_head,
    scored_head,
    unit_table,
)
from emopulse_ros.evaluation.page.units import label, unit_rows
from emopulse_ros.evaluation.report import number

NO_TRUTH = (
    '<p class="notice">No truth is known of {what}: the page shows what the model said, not '
    "whether it is right.</p>"
)


def recording(one: Assessment, index: int, about: About, *, alone: bool) -> str:
    """All there is to one recording; one that is ``alone`` has no head of its own."""
    place, scored, rows = f"r{index}", one.report is not None, event_rows(one)
    head = ""
    if not alone:
        figures = scored_head(one.report) if one.report else plain_head([one])
        head = f"<h2>{text(one.name)}</h2>{figures}"
        head += "" if scored else NO_TRUTH.format(what="this recording")
    units = unit_table(unit_rows([one], one.report), "Action units", one.report)
    if not alone:
        units = f"<details><summary>Action units of this recording</summary>{units}</details>"
    return (
        f'<section class="recording" id="{place}">{head}'
        f'<div class="timeline" data-recording="{index - 1}">'
        "<noscript><p>The timeline needs JavaScript; the tables do without.</p></noscript></div>"
        f"{event_table(rows, place, scored)}{_faces(one)}{units}"
        f'<div class="cards">{_stream(one)}{_timing(about.timing_of(index - 1))}'
        f"{surroundings(about) if alone else ''}</div></section>"
    )


def _faces(one: Assessment) -> str:
    """The faces at the apex of events, if they were kept."""
    shots = "".join(
        f'<figure><img alt="face at {seconds(one, shot.stamp):.3f} s" src="data:image/jpeg;base64,'
        f'{base64.b64encode(shot.jpeg).decode("ascii")}">'
        f"<figcaption>{seconds(one, shot.stamp):.3f} s</figcaption></figure>"
        for shot in one.faces
    )
    return f'<h3>At the apex</h3><div class="faces">{shots}</div>' if shots else ""


def _stream(one: Assessment) -> str:
    stream, gaps = one.stream, one.stream.gaps
    entries: dict[str, Any] = {
        "frames": len(stream.stamps),
        "rate": f"{number(stream.rate, 2)} Hz, by the median interval",
        "gaps": f"{len(gaps)}, the longest {gaps.max():.1f} ms" if len(gaps) else "none",
        "activations": len(one.recording.stamp),
    }
    for reason, count in stream.without.items():
        entries[f"without: {reason}"] = count
    notes = "".join(f'<p class="notice">{text(note)}</p>' for note in stream.notes)
    return _card("Stream", listing(entries) + notes)


def _timing(timing: Timing) -> str:
    entries = {name: f"{value:g} {unit}".strip() for name, (value, unit) in timing.items()}
    return _card("Timing of recorded messages", listing(entries)) if entries else ""


def surroundings(about: About) -> str:
    """The model card and the environment, as given."""
    return _model(about) + (
        _card("Environment", listing(about.environment)) if about.environment else ""
    )


def _model(about: About) -> str:
    card = about.card
    if card is None:
        return ""
    recipe = card.recipe
    baselines = [f"{baseline:g} ms" for baseline in recipe.baselines_ms]
    entries = {
        "name": card.name,
        "SHA-256": about.model_hash or "not given",
        "form": f"{card.form}, a tick every {card.tick_ms:g} ms",
        "action units": ", ".join(label(code) for code in card.codes),
        "flow": f"{recipe.method} on a grid of {recipe.grid}, over "
        + " and ".join([*baselines, *(["the neutral face"] if recipe.neutral else [])]),
        "trained on": card.trained_on,
        **{f"frame F1, {name}": score for name, score in _card_scores(card.scores).items()},
    }
    return _card("Model", listing(entries))


def _card_scores(written: str) -> Mapping[str, Any]:
    """The scores a model was given with it, as far as they can be read."""
    try:
        scores = json.loads(written)
    except ValueError:
        return {}
    return scores if isinstance(scores, dict) else {}


def _card(title: str, content: str) -> str:
    return f'<div class="card"><h3>{text(title)}</h3>{content}</div>'


def pictures(assessments: Sequence[Assessment]) -> str:
    """Whether the page shows a person."""
    faces = sum(len(one.faces) for one in assessments)
    if not faces:
        return "This page contains no image of a person."
    return (
        f"<strong>This page contains {counted(faces, 'image')} of a face.</strong> "
        "Keep it as you would keep the recording, and delete it with it."
    )
