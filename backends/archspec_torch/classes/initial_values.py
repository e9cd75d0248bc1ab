"""The methods of the class of a network that set initial values of everything below it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from archspec.analysis.counting import count
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.ties import ties_below
from archspec_torch.classes.grouping import ClassDef
from archspec_torch.code.names import attribute, is_identifier
from archspec_torch.code.pieces import Code, call, calls, code
from archspec_torch.code.text import lines, literal

_INNER = (
    "for block in self.modules():",
    '    if block is not self and hasattr(block, "init_weights"):',
    "        block.init_weights()",
)


@frozen
class WholeValues:
    """Lines of the class of a network.

    `start` ends the constructor, `methods` are `initialise` and `tie_weights`, `inner` ends
    `init_weights`: inner blocks set their initial values after outer ones. `helpers` are names in
    the prelude.
    """

    start: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()


def whole_values(network: Compiled, classes: Sequence[ClassDef]) -> WholeValues:
    """The lines for a network; none without parameters and buffers.

    `initialise` does what the constructors do, in the same order: layers and own tensors, children
    first; then the statements of the spec, outer blocks first; then ties. A tied tensor begins as
    its source does, so it has values of its own until then.
    """
    if not count(network).tensors:
        return WholeValues()
    owners = [item for item in classes if any(draft.initial_values.lines for draft in item.drafts)]
    tied = {**ties_below(network.training), **ties_below(network.inference)}
    ties = [(*name.rpartition(".")[::2], _access(source)) for name, source in tied.items()]
    start = ["self.init_weights()"] if owners else []
    start += ["self.tie_weights()"] if ties else []
    untied = [
        _set(owner, last, call("nn.Parameter", call("torch.empty_like", source)))
        for owner, last, source in ties
    ]
    adds = any(draft.adds_layers for item in classes for draft in item.drafts)
    layers = "reset_in_order(self)" if adds else "self.apply(reset)"
    helper = "reset_in_order" if adds else "reset"
    methods = _method(
        "initialise",
        "Set all parameters and buffers to initial values, as the constructor does.",
        [*untied, code(layers), *map(code, start)],
    )
    if ties:
        same = [_set(owner, last, code(source)) for owner, last, source in ties]
        methods += _method("tie_weights", "Make one tensor of those that are tied.", same)
    inner = [f"        {line}" for line in _INNER] if owners not in ([], [classes[-1]]) else []
    return WholeValues(tuple(start), tuple(methods), tuple(inner), (helper,))


def described_values(function: ClassDef, classes: Sequence[ClassDef]) -> str:
    """What a function computes, for its docstring: the initial values of which tensor of whom."""
    owners: dict[str, None] = {}
    tensors: dict[str, None] = {}
    for item in classes:
        for line in (*item.first.resets, *item.first.restores):
            for outer in calls(line.code):
                inner = [made for part in outer.arguments for made in calls(part.code)]
                if any(made.function == function.token for made in inner):
                    owners.setdefault(item.name)
                    path = outer.function.removesuffix(".copy_")
                    tensors.setdefault(path.removeprefix("self."))
    if len(tensors) != 1:
        return "The initial values of tensors."
    (tensor,) = tensors
    return f"The initial values of `{tensor}` in {' and '.join(f'`{name}`' for name in owners)}."


def _method(name: str, doc: str, body: Sequence[Code]) -> list[str]:
    found = ["", f"    def {name}(self) -> None:", f'        """{doc}"""']
    return [*found, *(line for one in body for line in lines(one, 8))]


def _set(path: str, last: str, value: Code) -> Code:
    owner = _access(path)
    if is_identifier(last):
        return code(f"{owner}.{last} = ", value)
    return call(f"{owner}.register_parameter", literal(last), value)


def _access(path: str) -> str:
    return reduce(attribute, path.split(".") if path else (), "self")
