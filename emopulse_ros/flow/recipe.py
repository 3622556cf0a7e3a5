"""What the flow is made of: written into the model file, so that both sides agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emopulse_ros.flow.dense import LucasKanade

KINDS = ("u", "v", "strain")


class RecipeError(ValueError):
    """A model wants its flow made in a way that this version does not know."""


@dataclass(frozen=True, slots=True)
class FlowRecipe:
    """Method, grid and references of the flow.

    ``baselines_ms`` are the ages of the references; ``neutral`` adds the neutral face as one.
    """

    method: str = LucasKanade.name
    grid: int = 64
    baselines_ms: tuple[float, ...] = (40.0, 160.0)
    neutral: bool = True

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the planes: ``u_40``, ``v_40``, ``strain_40``, …, ``strain_neutral``."""
        references = [f"{baseline:g}" for baseline in self.baselines_ms]
        if self.neutral:
            references.append("neutral")
        return tuple(f"{kind}_{reference}" for reference in references for kind in KINDS)

    def as_text(self) -> dict[str, str]:
        """The recipe as the model file holds it."""
        return {
            "flow_method": self.method,
            "flow_grid": str(self.grid),
            "flow_baselines_ms": ",".join(f"{baseline:g}" for baseline in self.baselines_ms),
            "flow_neutral": str(self.neutral).lower(),
        }

    @classmethod
    def from_text(cls, text: Mapping[str, str]) -> FlowRecipe:
        """Read the recipe from a model file's metadata.

        :raises RecipeError: if an entry is missing, unreadable, or names a method we lack.
        """
        try:
            recipe = cls(
                method=text["flow_method"],
                grid=int(text["flow_grid"]),
                baselines_ms=tuple(float(part) for part in text["flow_baselines_ms"].split(",")),
                neutral=text["flow_neutral"] == "true",
            )
        except (KeyError, ValueError) as error:
            raise RecipeError(f"the model does not say how its flow is made ({error})") from error
        if recipe.method != LucasKanade.name:
            raise RecipeError(
                f"the model was trained on flow by {recipe.method!r}, this version makes "
                f"{LucasKanade.name!r}: take a model of this version, or train one"
            )
        return recipe
