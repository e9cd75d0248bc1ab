"""Shared layers: their instances are kept by name and reused at each use.

A use may be on data of other types than the first, and then need other attributes, such as a `crop`
to half of the height. It then has another instance of the same name: weights belong to the name,
attributes to the instance. So the weights must have the same names and shapes at each use.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.graph.compare import same_instance
from archspec.graph.model import Graph, Instance, subgraphs
from archspec.semantics.building.instance_paths import NamedInstance, named_instances, owns_weights
from archspec.semantics.values.context import GraphContext
from archspec.source import Span
from archspec.types.tensor import TensorType

Types = tuple[TensorType, ...]


def one_instance(context: GraphContext, instance: Instance, types: Types, span: Span) -> Instance:
    """The instance, or the equal instance of an earlier use of the shared layer.

    Raises SpecError (E0607) if its weights would differ from those of the earlier use.
    """
    shared = context.scope.shared
    if shared is None:
        return instance
    owner = NamedInstance(instance.key, instance, types)
    known = shared.known(instance.key)
    if known:
        _require_same_weights(context, known[0], owner, span, shared.uses)
    for other in known:
        if same_instance(other.instance, instance):
            return other.instance
    shared.record(owner)
    return instance


def _require_same_weights(
    context: GraphContext,
    first: NamedInstance,
    owner: NamedInstance,
    span: Span,
    uses: Sequence[Span],
) -> None:
    fault = _fault(first, owner)
    if fault is None:
        return
    origin, place = first.instance.origin.span, span
    marked = [(origin, "its first use")] if origin != span else []
    if len(uses) > 1 and uses[0] != uses[-1]:
        marked, place = [(uses[0], "its first use"), (span, "the layer")], uses[-1]
    differ = "have different shapes" if "would be [" in fault else "be different ones"
    raise context.error(
        "E0607",
        f"a shared `{owner.instance.title}` has one set of weights, which would {differ} here",
        place,
        secondary=marked,
        notes=(fault,),
        fix="give both uses the same sizes; a layer without `shared` has own weights at each use",
    )


def _fault(first: NamedInstance, owner: NamedInstance) -> str | None:
    """The difference between the weights of two uses; None if they are the same."""
    pairs = [(first, owner)]
    seen: set[tuple[Graph, Graph]] = set()
    while pairs:
        left, right = pairs.pop()
        fault = _own_fault(left, right)
        if fault is not None:
            return fault
        for one, two in _below(left.instance, right.instance):
            if one is two or (one, two) in seen:
                continue
            seen.add((one, two))
            mine, theirs = _by_path(one), _by_path(two)
            for path in {**mine, **theirs}:
                alone = mine.get(path) if path not in theirs else theirs.get(path)
                if path in mine and path in theirs:
                    pairs.append((mine[path], theirs[path]))
                elif alone is not None and _owns(alone):
                    place = "where it was used first" if path in mine else "here"
                    return f"it has `{path}` only {place}"
    return None


def _below(left: Instance, right: Instance) -> list[tuple[Graph, Graph]]:
    """Pairs of corresponding graphs that the two call or hold."""
    pairs = zip(left.regions, right.regions, strict=False)
    found = [(one.graph, two.graph) for one, two in pairs]
    if left.graph is not None and right.graph is not None:
        found.append((left.graph, right.graph))
    return found


def _by_path(graph: Graph) -> dict[str, NamedInstance]:
    found: dict[str, NamedInstance] = {}
    for owner in named_instances(graph):
        found.setdefault(owner.path, owner)
    return found


def _own_fault(left: NamedInstance, right: NamedInstance) -> str | None:
    """The difference between the weights of the two instances themselves."""
    one, two = left.instance, right.instance
    kinds = [(item.graph is None, type(item.op)) for item in (one, two)]
    if kinds[0] != kinds[1]:
        if not _owns(left) and not _owns(right):
            return None
        return f"`{left.path}` is `{one.title}` at its first use, and `{two.title}` here"
    if one.op != two.op and _owns(left):
        return f"`{left.path}` has other attributes at its first use"
    held = [[(region.name, region.key) for region in item.regions] for item in (one, two)]
    if held[0] != held[1]:
        return f"`{left.path}` contains layers with other names here"
    mine, theirs = ({item.name: item for item in owner.parameters} for owner in (left, right))
    for name in {**mine, **theirs}:
        a, b = mine.get(name), theirs.get(name)
        if a is None or b is None:
            return f"it has `{name}` only {'here' if a is None else 'where it was used first'}"
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return (
                f"`{name}` is {list(a.shape)} at its first use, and would be {list(b.shape)} here"
            )
    return None


def _owns(owner: NamedInstance) -> bool:
    if owner.parameters:
        return True
    return any(map(owns_weights, subgraphs(owner.instance)))
