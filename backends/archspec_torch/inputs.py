"""The inputs of the class of a network: where `forward` checks them, and examples."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from archspec.analysis.sizes import condition, reported_sizes
from archspec.diagnostics.failure import CompileFailed
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.types.condition import evaluate
from archspec.types.tensor import DType, TensorType
from archspec_torch.code.dtypes import TORCH_TYPES
from archspec_torch.code.pieces import Code, call, code
from archspec_torch.code.text import lines
from archspec_torch.input_check import NamedInput, check_method
from archspec_torch.planning.layout import Layout

FLAG = "checks_inputs = True  # whether `forward` refuses inputs that are not valid"


@frozen
class Entrance:
    """Lines for the class of a network: attributes, methods, and how `forward` begins."""

    methods: tuple[str, ...] = ()
    beginning: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


def entrance(network: Compiled, layout: Layout, signature: str) -> Entrance:
    """The lines about inputs; `signature` is that of `forward`."""
    methods = [*_examples(network, layout)]
    inputs = [
        NamedInput(one.arg, f"{ast.unparse(one)}{' = None' * item.optional}", item)
        for one, item in zip(_arguments(signature), layout.inputs, strict=False)
    ]
    if not inputs:
        return Entrance(tuple(methods))
    methods += ["", *check_method(network, inputs)]
    beginning = (
        "if not torch.jit.is_scripting():",
        "    if self.checks_inputs:",
        f"        self.check_inputs({', '.join(one.name for one in inputs)})",
    )
    return Entrance(tuple(methods), beginning, (FLAG,))


def _arguments(signature: str) -> list[ast.arg]:
    (function,) = ast.parse(f"def forward{signature} pass").body
    assert isinstance(function, ast.FunctionDef)
    return function.args.args


# ---------------------------------------------------------------------- examples


def _examples(network: Compiled, layout: Layout) -> Iterator[str]:
    """The method that creates inputs, of sizes that are valid in both modes if possible."""
    shapes = [item.type_in(training=False) for item in layout.inputs]
    sizes = _example_sizes(network, shapes)
    values: list[Code] = []
    for kind in shapes:
        shape = [str(size.evaluate(sizes)) for size in kind.shape] or ["()"]
        dtype = TORCH_TYPES.get(kind.dtype)
        maker = "torch.zeros" if dtype and "complex" not in dtype else "torch.randn"
        if kind.dtype is DType.BOOL:  # as a mask, it lets every position take part
            maker = "torch.ones"
        how = [f"dtype={dtype or 'like.dtype'}", "device=like.device"]
        values.append(call(maker, *shape, *how))
    several = ", ".join(["Tensor"] * len(values))
    yield f"    def example_inputs(self) -> Tuple[{several or '()'}]:"
    yield '        """Inputs of valid sizes, for `module(*module.example_inputs())`."""'
    if values:
        yield "        like = next(self.parameters(), torch.empty(0))"
    if len(values) == 1:
        yield from lines(code("return (", values[0], ",)"), 8)
    else:
        yield from lines(code("return ", call("", *values)), 8)


def _example_sizes(network: Compiled, shapes: Sequence[TensorType]) -> dict[str, int]:
    """Sizes for free dims; those of a network without default sizes are 1."""
    free = {name for kind in shapes for size in kind.shape for name in size.symbols}
    if not free <= network.sizes.keys():
        return {**dict.fromkeys(free, 1), **network.sizes}
    try:
        sizes = dict(reported_sizes(network, training=True))
    except CompileFailed:
        return dict(network.sizes)
    return sizes if evaluate(condition(network), sizes) else dict(network.sizes)
