"""Ops that run a layer when, or as often as, the data says."""

from __future__ import annotations

from collections.abc import Sequence

from archspec_torch.code.pieces import Code, Hole, call, code
from archspec_torch.lowering.base import Lowered, Scope, Site, lowers


def _captured(site: Site) -> int:
    return sum(region.captured for region in site.instance.regions)


def _split(site: Site, inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """The op's own inputs, and what its region reads from around."""
    count = len(inputs) - _captured(site)
    return list(inputs[:count]), list(inputs[count:])


@lowers("gated")
def gated(site: Site) -> Lowered:
    """The layer runs only if the gate holds somewhere."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        (gate, x, otherwise), captured = _split(site, inputs)
        result = scope.statement("gated", otherwise)
        scope.line(f"if open_anywhere({gate}):")
        ran = scope.run("layer", x, *captured)
        missing = site.y.rank - site.inputs[0].rank
        mask = gate
        if missing and site.inputs[0].rank:
            tail = ", ".join(["1"] * missing)
            sizes = ", ".join(f"{gate}.shape[{axis}]" for axis in range(site.inputs[0].rank))
            mask = f"{gate}.reshape({sizes}, {tail})"
        scope.line(f"{result} = ", call("torch.where", mask, ran, otherwise), indent=4)
        return code(result)

    return Lowered(apply=apply, helpers=("open_anywhere",))


def _yielded(site: Site) -> int:
    return len(site.instance.regions[0].graph.output_types)


def _loop(
    site: Site,
    scope: Scope,
    states: list[str],
    captured: list[str],
    header: Code,
    steps: list[str],
) -> Code:
    """A loop over a region that yields outputs and next states."""
    count = _yielded(site) - len(states)
    lists = []
    for number in range(count):
        name = scope.fresh(f"outputs_{number}" if number else "outputs")
        scope.line(f"{name}: List[Tensor] = []")
        lists.append(name)
    carried = [scope.statement("state", state) for state in states]
    scope.line(header)
    outs = [scope.fresh("output") for _ in range(count)]
    targets = ", ".join([*outs, *carried])
    ran = scope.run("layer", *steps, *carried, *captured)
    scope.line(f"{targets} = ", ran, indent=4)
    for name, out in zip(lists, outs, strict=True):
        scope.line(f"{name}.append({out})", indent=4)
    found = [call("torch.stack", name, f"dim={site.op.axis}") for name in lists]
    found += [code(state) for state in carried]
    return call("", *found) if len(found) > 1 else found[0]


@lowers("iterate")
def iterate(site: Site) -> Lowered:
    """A number of steps that is fixed or a size."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        states, captured = _split(site, inputs)
        steps = site.op.steps
        count = code(Hole(steps, "steps")) if isinstance(steps, int) else scope.size(steps)
        header = code("for _ in range(", count, "):")
        return _loop(site, scope, states, captured, header, [])

    return Lowered(apply=apply)


@lowers("scan")
def scan(site: Site) -> Lowered:
    """A step for each position of an axis."""
    op = site.op

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        own, captured = _split(site, inputs)
        sequences, states = own[: op.sequences], own[op.sequences :]
        step = scope.fresh("step")
        header = code(f"for {step} in range({sequences[0]}.shape[{op.axis}]):")
        steps = [f"{one}.select({op.axis}, {step})" for one in sequences]
        return _loop(site, scope, states, captured, header, steps)

    return Lowered(apply=apply)
