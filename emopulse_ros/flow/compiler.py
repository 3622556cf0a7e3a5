"""How the flow's inner loops are compiled, by numba.

Once for a processor and a version, when the file that holds them is imported; what is compiled is
kept beside it, and nothing is compiled in the stream. A loop calls only those of its own file, for
numba does not notice when what it has kept was compiled with another file's old ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])


def _arrays(kind: types.Type, *, given: bool = True) -> list[types.Type]:
    """Arrays of 0 to 3 dimensions; ``given`` ones are only read from."""
    return [kind, *(types.Array(kind, count, "C", readonly=given) for count in (1, 2, 3))]


# What is read, what is written, and the same in double precision, by number of dimensions.
IN, OUT = _arrays(types.float32), _arrays(types.float32, given=False)
IN64, OUT64 = _arrays(types.float64), _arrays(types.float64, given=False)


def compiled(
    *arguments: types.Type, answer: types.Type = types.void
) -> Callable[[Function], Function]:
    """Compile a function of such arguments to machine code."""
    jit = numba.njit(
        answer(*arguments),
        cache=True,
        error_model="numpy",
        nogil=True,
        # Multiply and add in one step, and sums of several at once; infinities stay what they are.
        fastmath={"contract", "nsz", "reassoc"},
    )
    return cast(Callable[[Function], Function], jit)
