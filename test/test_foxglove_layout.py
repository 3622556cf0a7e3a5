"""The layout for Foxglove names topics and fields that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from emopulse_ros.bag.writer import TOPICS
from emopulse_ros.facs import CODES

ROOT = Path(__file__).parents[1]
LAYOUT = json.loads((ROOT / "config" / "foxglove.json").read_text())
ACTIVATION = (ROOT / "emopulse_msgs" / "msg" / "AUActivation.msg").read_text()


def test_what_is_shown_is_there() -> None:
    text = json.dumps(LAYOUT["configById"])
    topics = {f"/emopulse/{topic}" for topic, _ in TOPICS.values()}
    assert set(re.findall(r"/emopulse/[a-z_/]+", text)) == topics
    fields = set(re.findall(r"au_activation\.([a-z_]+)", text))
    assert fields <= set(re.findall(r"^\S+ ([a-z_]+)", ACTIVATION, re.MULTILINE))


def test_each_unit_has_its_own_curve() -> None:
    curves = {
        path["label"]: path["value"]
        for name, panel in LAYOUT["configById"].items()
        for path in panel.get("paths", [])
        if "probability" in path["value"]
    }
    assert curves == {
        f"AU{code:02d}": f"/emopulse/au_activation.probability[{k}]" for k, code in enumerate(CODES)
    }
