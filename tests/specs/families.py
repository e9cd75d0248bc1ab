"""External facts about each spec: one file of `families/` for one of `specs/`.

`[run]` is a small network of the family that the tests run, and sizes that it accepts: `size` for
square images, or `sizes` by name. `[sizes]` names the network that is tested on every size, with
`options`; it is missing if images have one size. Of squares each `step`-th is tried, and none below
the size `least`, where torch would broadcast maps of one position, which archspec refuses to add.
`boundaries` are the networks tested near their smallest size, if these are not all (depth takes
time and does not change sizes). With `stricter`, the spec excludes sizes that torch accepts.
`[counts]` has published parameters, multiply-accumulates (of convolutions, matrix products and
attention, for a batch of one) and depths; `[[variants]]` the same for networks with options,
`[folded]` for those with folded norms. `[live]` says which presets are compared with torchvision or
timm, and at which size; `[transformers.NAME]` names a model of transformers and its configuration,
with a `size` if it is run. `skips` in `[run]` says that training may skip layers. `[papers.ROW]`
are rows of the table in `specs/README.md`.

`[golden.FILE]` says how a golden file is compared, if not the preset of the same name is run as it
is: `network` is its preset and `parameters` are values for parameters of that; `options` are
further ones for the run only, such as a size; `outputs` are names of outputs in the order of the
reference, `unused` are inputs that the reference does not read and the spec does not have, and
`gates` is the name of the output with the decisions. `slow` is for over 60 million weights. If
float32 and float64 differ by more than 1e-3 of std, either `double` runs it in float64, or there is
a `tolerance` (of std).
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "families"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def family(name: str) -> dict[str, Any]:
    """The file of this name."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def merged(section: str) -> dict[str, Any]:
    """The tables of this name of all families, merged; their keys are names of networks."""
    return {key: value for name in NAMES for key, value in family(name).get(section, {}).items()}


def frozen(value: Any) -> Any:
    """Lists as tuples, so that options can be keys of a cache."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def options(table: dict[str, Any]) -> dict[str, Any]:
    """The options of a network, ready for `shipped`."""
    return {name: frozen(value) for name, value in table.get("options", {}).items()}


def sampled(names: tuple[str, ...], step: int) -> list[Any]:
    """Every `step`-th family as a parameter of a test; the others are marked slow."""
    return [
        pytest.param(name, marks=[pytest.mark.slow] * (place % step > 0))
        for place, name in enumerate(names)
    ]
