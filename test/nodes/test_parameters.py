from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")


def test_the_parameter_file_holds_what_the_tables_say() -> None:
    from emopulse_ros.nodes.tables import default_yaml

    assert (ROOT / "config" / "emopulse.yaml").read_text() == default_yaml()


def test_the_documents_hold_what_the_tables_say() -> None:
    from emopulse_ros.nodes.parameters import as_markdown
    from emopulse_ros.nodes.tables import TABLES

    text = (ROOT / "docs" / "nodes.md").read_text()
    for table in TABLES.values():
        assert as_markdown(table) in text


def test_ros_reads_the_parameter_file(ros: Any) -> None:
    from emopulse_ros.nodes.tables import TABLES

    process = ros.process("--ros-args", "--params-file", str(ROOT / "config" / "emopulse.yaml"))
    for name, table in TABLES.items():
        node = process.node(name, namespace="emopulse")
        for parameter in table:
            node.declare_parameter(parameter.name, type(parameter.default)())
            assert node.get_parameter(parameter.name).value == parameter.default


def test_descriptors_tell_type_unit_and_bounds(ros: Any) -> None:
    from rclpy.parameter import Parameter as RosParameter

    from emopulse_ros.nodes.parameters import Parameter, declare

    node = ros.process().node("node")
    table = (
        Parameter("gain", 0.5, "how much", "dB", (0.0, 1.0)),
        Parameter("depth", 3, "how deep", bounds=(1, 5)),
        Parameter("name", "x", "what it is called", read_only=True),
    )
    declare(node, table)
    told = node.describe_parameters(["gain", "depth", "name"])
    assert told[0].description == "how much [dB]"
    assert told[0].floating_point_range[0].to_value == 1.0
    assert told[1].integer_range[0].from_value == 1
    assert told[2].read_only

    def set_to(name: str, value: Any) -> bool:
        return bool(node.set_parameters([RosParameter(name, value=value)])[0].successful)

    assert set_to("gain", 0.75)
    assert not set_to("gain", 1.5)
    assert not set_to("depth", 2.5)
    assert not set_to("name", "y")


@pytest.mark.parametrize("value", [7, "deep"])
def test_a_value_that_cannot_be_is_refused_in_a_sentence(ros: Any, value: Any) -> None:
    from rclpy.parameter import Parameter as RosParameter

    from emopulse_ros.nodes.parameters import Parameter, declare

    given = [RosParameter("depth", value=value)]
    node = ros.process().node("node", parameter_overrides=given)
    with pytest.raises(ValueError, match="depth of node must be of type integer from 1 to 5"):
        declare(node, (Parameter("depth", 3, "how deep", bounds=(1, 5)),))
