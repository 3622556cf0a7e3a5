"""The network on TensorRT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emopulse_ros.detection.device_memory import Device
from emopulse_ros.detection.engine import ANSWERS, Shape
from emopulse_ros.detection.gpu_engine import GpuEngine
from emopulse_ros.detection.lanes import Queue
from emopulse_ros.detection.model import Card
from emopulse_ros.detection.tensorrt_plan import MOST_FACES, TensorRTError, made, quiet_log, title


class TensorRTEngine(GpuEngine):
    """The step form of a model as a TensorRT plan, on a GPU.

    ``trt`` is the module of TensorRT; in how many ``bits`` the plan works is told to people.

    :raises TensorRTError: if this TensorRT cannot load the plan, or it is that of another network.
    :raises DeviceError: if the GPU has no memory for it, or fails.
    """

    library = "TensorRT"

    def __init__(
        self,
        trt: Any,
        plan: bytes,
        device: Device,
        card: Card,
        model_hash: str,
        *,
        bits: int = 32,
        faces: int = MOST_FACES,
        graphs: bool = True,
        locked: bool = True,
    ) -> None:
        super().__init__(
            lambda: TensorRTNetwork(trt, plan, card, device),
            device,
            card,
            model_hash,
            f"{title(trt)} on {device.name}, reached by {device.library}, in {bits} bits",
            faces=faces,
            graphs=graphs,
            locked=locked,
        )


class TensorRTNetwork:
    """A plan, loaded for the GPU it was built for; see :class:`~.lanes.Network`.

    :raises TensorRTError: if this TensorRT cannot load the plan, or it is that of another network.
    """

    def __init__(self, trt: Any, plan: bytes, card: Card, device: Device) -> None:
        self._device = device
        self._log = quiet_log(trt)
        self._runtime = made(trt, "Runtime", self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise TensorRTError(f"{title(trt)} cannot load the plan: {self._log.reason}")
        self._contexts: dict[int, Any] = {}
        self.shapes = self._checked(trt, card)

    def bound(self, faces: int, addresses: Mapping[str, int]) -> Queue:
        """What queues the network for so many faces, whose tensors lie at these addresses."""
        context = self._context(faces)

        def queue(_: bool) -> None:
            # What went wrong before this step is not to be laid to it.
            self._log.first = ""
            for name, address in addresses.items():
                if not context.set_tensor_address(name, address):
                    reason = self._log.reason
                    raise TensorRTError(f"TensorRT takes no address for {name}: {reason}")
            if not context.execute_async_v3(self._device.stream):
                raise TensorRTError(f"TensorRT did not take the step: {self._log.reason}")

        return queue

    def close(self) -> None:
        """Let go of the plan; nothing that was bound may be queued any more."""
        self._contexts.clear()
        self._engine = self._runtime = None

    def _context(self, faces: int) -> Any:
        """What runs the plan for so many faces."""
        if faces in self._contexts:
            return self._contexts[faces]
        context = self._engine.create_execution_context()
        if context is None:
            raise TensorRTError(f"TensorRT cannot run the plan: {self._log.reason}")
        # Up to 8.6 the first context alone has a profile by itself.
        if context.active_optimization_profile < 0:
            if not context.set_optimization_profile_async(0, self._device.stream):
                raise TensorRTError(f"the plan does for one context only: {self._log.reason}")
            self._device.synchronise()
        for name in ("flow", *self._states):
            shape = (faces, *tuple(self._engine.get_tensor_shape(name))[1:])
            if not context.set_input_shape(name, shape):
                raise TensorRTError(f"the plan takes no {name} of shape {shape}")
        self._contexts[faces] = context
        return context

    def _checked(self, trt: Any, card: Card) -> dict[str, Shape]:
        """Every tensor with its shape for one face; they must be those of a step model."""
        engine = self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        given = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self._states = [name for name in given if name != "flow"]
        wanted = {"flow", *self._states, *ANSWERS, *(f"next_{name}" for name in self._states)}
        if not self._states or "flow" not in given or set(names) != wanted:
            raise TensorRTError("the plan lacks the inputs and outputs of a step model")
        context = self._context(1)
        shapes = {name: tuple(context.get_tensor_shape(name)) for name in names}
        for name in names:
            if engine.get_tensor_dtype(name) != trt.DataType.FLOAT:
                raise TensorRTError(
                    f"the plan's {name} is not in 32 bits: inputs and outputs of a model must be"
                )
        units, recipe = (1, len(card.codes)), card.recipe
        flow = (1, len(recipe.channels), recipe.grid, recipe.grid)
        expected: dict[str, Shape] = {"flow": flow, "logits": units, "intensity": units}
        expected |= {f"next_{name}": shapes[name] for name in self._states}
        for name, shape in expected.items():
            if shapes[name] != shape:
                raise TensorRTError(f"the plan's {name} is {shapes[name]}, the model's is {shape}")
        return shapes
