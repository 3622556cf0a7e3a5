"""The step form in 16 bits, for GPUs: half the memory to move, and what their tensor units want."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def halve(step: Path, path: Path) -> Path:
    """Write the step model at ``step`` to ``path`` with the weights and sums of its backbone in 16
    bits.

    Inputs and outputs stay in 32 bits, and its card is the same. TensorRT takes the types as they
    stand in the file.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    model = onnx.load(str(step))
    behind = _behind_the_backbone(model.graph)
    model = convert_float_to_float16(model, keep_io_types=True, node_block_list=behind)
    _drop_detours(model.graph)
    OnnxModel(model).topological_sort()
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def _behind_the_backbone(graph: Any) -> list[str]:
    """Names of the nodes that read what has been averaged over space, or is kept of that.

    They are next to no work, and one of them sums up a thousand frames, for which 16 bits are too
    few.
    """
    flat = {entry.name for entry in graph.input if len(entry.type.tensor_type.shape.dim) == 2}
    behind = []
    for node in graph.node:
        if node.op_type == "ReduceMean":
            flat.update(node.output)
        elif not flat.isdisjoint(node.input):
            flat.update(node.output)
            behind.append(node)
    read = {name for node in behind for name in node.input}
    behind += [n for n in graph.node if n.op_type == "Constant" and n.output[0] in read]
    return [node.name for node in behind]


def _drop_detours(graph: Any) -> None:
    """Take out each cast to 16 bits and back, which the conversion puts between any two nodes that
    it leaves as they were."""
    made_by = {name: node for node in graph.node for name in node.output}
    outputs = {entry.name for entry in graph.output}
    direct = {}
    for node in [node for node in graph.node if node.op_type == "Cast"]:
        before = made_by.get(node.input[0])
        if before is None or before.op_type != "Cast":
            continue
        direct[node.output[0]] = before.input[0]
        if node.output[0] in outputs:
            node.op_type, node.input[0] = "Identity", before.input[0]
            del node.attribute[:]
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = direct.get(name, name)
    read = {name for node in graph.node for name in node.input} | outputs
    for node in [node for node in graph.node if node.op_type == "Cast"]:
        if read.isdisjoint(node.output):
            graph.node.remove(node)
