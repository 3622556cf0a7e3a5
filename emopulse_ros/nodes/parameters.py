"""Parameters as data: one table per node, from which descriptors, YAML and documents come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (  # type: ignore[import-not-found, unused-ignore]
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.parameter import Parameter as RosParameter

Value = bool | int | float | str

_TYPES: dict[type, RosParameter.Type] = {
    bool: RosParameter.Type.BOOL,
    int: RosParameter.Type.INTEGER,
    float: RosParameter.Type.DOUBLE,
    str: RosParameter.Type.STRING,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a node; its type is that of its default.

    ``unit`` is empty for what has none. A number lies within ``bounds``, both included. All are
    read when the node is configured; a ``live`` one can be changed afterwards as well, a read-only
    one not even before, once the node is there.
    """

    name: str
    default: Value
    description: str
    unit: str = ""
    bounds: tuple[float, float] | None = None
    read_only: bool = False
    live: bool = False

    @property
    def type(self) -> str:
        """Name of its type, as ROS says it."""
        return str(_TYPES[type(self.default)].name.lower())

    def describe(self) -> str:
        """Description with unit, for people."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description

    def descriptor(self) -> ParameterDescriptor:
        """The descriptor that ``ros2 param describe`` shows."""
        told = ParameterDescriptor(
            name=self.name,
            type=_TYPES[type(self.default)].value,
            description=self.describe(),
            read_only=self.read_only,
        )
        if self.bounds is not None:
            low, high = self.bounds
            if isinstance(self.default, int):
                told.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
            else:
                told.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        return told


Table = Sequence[Parameter]

CLOCK = "use_sim_time"
"""Every node has it, undeclared by us; whose clock stamps are on is settled with the rest."""


def declare(node: Any, table: Table) -> None:
    """Declare the parameters of a table on a node.

    :raises ValueError: if a value given from outside is of another type or out of bounds.
    """
    for parameter in table:
        _declare(node, parameter)


def read(node: Any, table: Table) -> dict[str, Any]:
    """The present values of a table's parameters."""
    return {parameter.name: node.get_parameter(parameter.name).value for parameter in table}


def refusal(table: Table, names: Iterable[str]) -> str | None:
    """Why these parameters cannot be changed once the node is configured; None if they can."""
    fixed = [CLOCK, *(parameter.name for parameter in table if not parameter.live)]
    told = ", ".join(name for name in names if name in fixed)
    if not told:
        return None
    verb = "are" if "," in told else "is"
    return f"{told} {verb} read when the node is configured: deactivate it and clean it up first"


def as_yaml(tables: Mapping[str, Table]) -> str:
    """The defaults as a ROS parameter file; ``tables`` are those of the nodes, by name."""
    lines: list[str] = []
    for node, table in tables.items():
        lines += [f"/**/{node}:", "  ros__parameters:"]
        for parameter in table:
            lines.append(f"    # {parameter.describe()}{_limits(parameter)}")
            lines.append(f"    {parameter.name}: {_literal(parameter.default)}")
    return "\n".join(lines) + "\n"


def as_markdown(table: Table) -> str:
    """A table for the documents."""
    lines = [
        "| parameter | type | default | unit | bounds | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for parameter in table:
        bounds = "" if parameter.bounds is None else "{:g} to {:g}".format(*parameter.bounds)
        meaning = parameter.description + "".join(f" ({word})" for word in _kind(parameter))
        cells = (
            f"`{parameter.name}`",
            parameter.type,
            f"`{_literal(parameter.default)}`",
            parameter.unit,
            bounds,
            meaning,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _declare(node: Any, parameter: Parameter) -> None:
    try:
        node.declare_parameter(parameter.name, parameter.default, parameter.descriptor())
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise ValueError(
            f"parameter {parameter.name} of {node.get_name()} must be {_demand(parameter)}: {error}"
        ) from error


def _demand(parameter: Parameter) -> str:
    bounds = ""
    if parameter.bounds is not None:
        bounds = " from {:g} to {:g}".format(*parameter.bounds)
    return f"of type {parameter.type}{bounds}"


def _limits(parameter: Parameter) -> str:
    told = "" if parameter.bounds is None else ", {:g} to {:g}".format(*parameter.bounds)
    return told + "".join(f", {word}" for word in _kind(parameter))


def _kind(parameter: Parameter) -> list[str]:
    return ["read-only"] * parameter.read_only + ["live"] * parameter.live


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
