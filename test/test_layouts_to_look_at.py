"""The layouts for `emopulse view` and for PlotJuggler name topics and fields that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from emopulse_ros.facs import CODES
from emopulse_ros.view import topics

ROOT = Path(__file__).parents[1]
LAYOUT = json.loads((ROOT / "config" / "foxglove_view.json").read_text())
PLOTS = ElementTree.parse(ROOT / "config" / "plotjuggler.xml").getroot()
ACTIVATION = (ROOT / "emopulse_msgs" / "msg" / "AUActivation.msg").read_text()
UNITS = {f"probability[{k}]": code for k, code in enumerate(CODES)}


def leaves(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        yield from leaves(layout["first"])
        yield from leaves(layout["second"])


@pytest.mark.parametrize("name", ["foxglove.json", "foxglove_view.json"])
def test_every_panel_has_its_place(name: str) -> None:
    layout = json.loads((ROOT / "config" / name).read_text())
    assert sorted(leaves(layout["layout"])) == sorted(layout["configById"])


def test_every_topic_is_shown_and_there() -> None:
    text = json.dumps(LAYOUT["configById"])
    named = set(re.findall(r"/emopulse/[a-z_/]+", text))
    assert named == {
        topics.IMAGE, topics.ANNOTATIONS, topics.ACTIVATION, topics.EVENTS, topics.HEALTH,
    }  # fmt: skip


def test_every_curve_is_of_a_field_that_is_sent() -> None:
    schemas = {
        topics.ACTIVATION: topics.ACTIVATION_SCHEMA["properties"],
        topics.HEALTH: topics.HEALTH_SCHEMA["properties"],
    }
    units = {}
    for panel in LAYOUT["configById"].values():
        for path in panel.get("paths", ()):
            topic, _, field = path["value"].partition(".")
            assert field.partition("[")[0] in schemas[topic]
            if field in UNITS:
                units[path["label"]] = UNITS[field]
    assert units == {f"AU{code:02d}": code for code in CODES}


def test_what_both_foxglove_and_ros_have_has_the_same_fields() -> None:
    fields = set(re.findall(r"^\S+ ([a-z_]+)", ACTIVATION, re.MULTILINE))
    assert topics.ACTIVATION_SCHEMA["properties"].keys() <= fields


def test_plotjuggler_draws_every_unit_attention_and_latency() -> None:
    curves = [curve.attrib["name"] for curve in PLOTS.iter("curve")]
    prefix = f"{topics.ACTIVATION}/"
    assert all(curve.startswith(prefix) for curve in curves)
    drawn = sorted(curve.removeprefix(prefix) for curve in curves)
    assert drawn == sorted([*UNITS, "attention", "latency_ms"])
    fields = set(re.findall(r"^\S+ ([a-z_]+)", ACTIVATION, re.MULTILINE))
    assert {name.partition("[")[0] for name in drawn} <= fields


def test_plotjuggler_finds_its_parts_where_it_looks_for_them() -> None:
    (tab,) = PLOTS.findall("tabbed_widget/Tab")
    splitters = tab.findall("Container/DockSplitter")
    assert len(splitters) == int(tab.attrib["containers"]) == 1
    sizes = [float(size) for size in splitters[0].attrib["sizes"].split(";")]
    areas = splitters[0].findall("DockArea/plot")
    assert len(sizes) == len(areas) == int(splitters[0].attrib["count"])
    assert sum(sizes) == 1.0
    assert all(area.find("range") is not None for area in areas)
    assert {plugin.attrib["ID"] for plugin in PLOTS.iter("plugin")} == {
        "DataLoad ROS2 bags",
        "ROS2 Topic Subscriber",
    }
