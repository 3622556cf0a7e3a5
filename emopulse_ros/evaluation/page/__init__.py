"""A report that is handed on: one page for people, JSON and CSV for programs."""

from __future__ import annotations

from emopulse_ros.evaluation.page.about import About, environment
from emopulse_ros.evaluation.page.as_json import as_json, write_json
from emopulse_ros.evaluation.page.csv_files import write_activations, write_events, write_units
from emopulse_ros.evaluation.page.writing import page, write_page

__all__ = [
    "About",
    "as_json",
    "environment",
    "page",
    "write_activations",
    "write_events",
    "write_json",
    "write_page",
    "write_units",
]
