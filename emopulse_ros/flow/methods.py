"""How the flow is computed on this machine: compiled where numba is at hand, else by OpenCV."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from emopulse_ros.flow.dense import LucasKanade
from emopulse_ros.flow.rigid import RigidPart
from emopulse_ros.flow.strain import SkinMotion


class Methods(NamedTuple):
    """What measures flow, the head's part in it and the skin's strain; ``why`` these, in words."""

    dense: type[LucasKanade]
    rigid: type[RigidPart]
    motion: type[SkinMotion]
    why: str

    @property
    def is_compiled(self) -> bool:
        """Whether it is numba's machine code."""
        return self.dense is not LucasKanade


@lru_cache(maxsize=1)
def methods() -> Methods:
    """The faster ones that can be had; the first call compiles them, if nothing has before.

    That takes some seconds once, and what is compiled is kept.
    """
    try:
        import numba

        if numba.config.DISABLE_JIT:
            return _plain("NUMBA_DISABLE_JIT keeps numba from compiling")
        from emopulse_ros.flow.compiled import (
            CompiledLucasKanade,
            CompiledRigidPart,
            CompiledSkinMotion,
        )
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        return _plain("numba is not installed")
    except Exception as error:
        # Whatever a compiler says that does not suit this numpy, or may not keep what it makes.
        said = str(error).strip() or type(error).__name__
        return _plain(f"numba fails: {said.splitlines()[0]}")
    why = f"compiled by numba {numba.__version__}"
    return Methods(CompiledLucasKanade, CompiledRigidPart, CompiledSkinMotion, why)


def _plain(reason: str) -> Methods:
    return Methods(LucasKanade, RigidPart, SkinMotion, f"OpenCV ({reason})")
