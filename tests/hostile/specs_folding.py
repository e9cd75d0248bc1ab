"""Hostile specs for `fold`: long sums and chains in which little or nothing can be folded."""

from __future__ import annotations

from specs import FINE, case, network

COUNT = 3_000


def chain(name: str, step: str, first: str = "x") -> None:
    """A spec in which `step` computes `y` from `z`, again and again."""
    lines = (step.replace("y", f"y{i + 1}").replace("z", f"y{i}") for i in range(COUNT))
    case(f"fold: {name}", FINE, network(f"y0 = {first}", *lines, f"output y{COUNT}"))


chain("doubling", "y = z + z")
chain("products", "y = z * 1.5")
chain("products and sums", "y = z * 1.5 + 0.25")
chain("differences", "y = (x -> relu) - z")
chain("a sum that stays", "y = z + (x -> relu)")
chain("a sum that stays, with a layer", "y = z + (x -> relu)", "x -> conv(4, 3)")
chain("layers in one sum", "y = z + (x -> conv(4, 3))")
chain("layers of different inputs", "y = z + (x -> relu -> conv(4, 3))")
chain("norms in one sum", "y = z + (x -> batch_norm)")
chain("norms one after another", "y = z -> batch_norm")
chain("norms beside identities", "y = z + (z -> batch_norm)")
chain("reordered axes", "y = z -> transpose(2, 3)")
chain("a map that is read often", "y = z + (m -> relu)", "x\n  m = x -> batch_norm")
case(
    "fold: many readers of a norm",
    FINE,
    network(
        "m = x -> batch_norm",
        *(f"y{i} = m -> {'relu' if i == COUNT - 1 else 'conv(4, 3)'}" for i in range(COUNT)),
        *(f"output y{i}" for i in range(0, COUNT, 100)),
        f"output y{COUNT - 1}",
    ),
)
