"""The inputs of the class of a network: the check of their sizes, and examples."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from archspec.analysis.sizes import condition, reported_sizes, valid_sizes
from archspec.diagnostics.failure import CompileFailed
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.types.condition import TRUE, All, Condition, comparisons, evaluate, symbols_of
from archspec.types.dim import Dim
from archspec.types.sizes import ValidSizes
from archspec.types.solver import condition_text
from archspec.types.tensor import TensorType
from archspec_torch.code.dtypes import TORCH_TYPES
from archspec_torch.code.pieces import Argument, Call, Code, call, code
from archspec_torch.code.text import lines, literal
from archspec_torch.planning.layout import Layout

MOST_COMPARISONS = 12
"""Maximum length of a formula that the module checks and its docstring contains."""

FLAG = "checks_inputs = True  # whether `forward` refuses inputs of sizes that are not valid"


@frozen
class Entrance:
    """Lines for the class of a network: attributes, methods, and how `forward` begins."""

    methods: tuple[str, ...] = ()
    beginning: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


def entrance(network: Compiled, layout: Layout, signature: str) -> Entrance:
    """The lines about inputs; `signature` is that of `forward`."""
    arguments = [one.arg for one in _arguments(signature)][: len(layout.inputs)]
    valid = valid_sizes(network)
    methods = [*_examples(network, layout)]
    if not arguments:
        return Entrance(tuple(methods))
    methods += ["", *_check(network, layout, arguments, signature, valid)]
    given = ", ".join(arguments)
    beginning = (
        "if not torch.jit.is_scripting():",
        "    if self.checks_inputs:",
        f"        self.check_inputs({given})",
    )
    return Entrance(tuple(methods), beginning, (FLAG,))


def _arguments(signature: str) -> list[ast.arg]:
    (function,) = ast.parse(f"def forward{signature} pass").body
    assert isinstance(function, ast.FunctionDef)
    return function.args.args


# ---------------------------------------------------------------------- the check


def _check(
    network: Compiled, layout: Layout, names: Sequence[str], signature: str, valid: ValidSizes
) -> Iterator[str]:
    shapes = [item.type_in(training=False) for item in layout.inputs]
    known = {one for kind in shapes for size in kind.shape for one in _symbol(size)}
    everywhere, in_inference = _formulas(network, valid, known)
    rows: list[Code] = []
    for name, kind in zip(names, shapes, strict=True):
        sizes = "".join(f"{_wanted(size)}, " for size in kind.shape).removesuffix(" ")
        sizes = sizes.removesuffix(",") if kind.rank > 1 else sizes
        rows.append(code(f"{literal(name)}: ({name}, ({sizes}))"))
    holds = " and ".join(filter(None, [everywhere, in_inference]))
    function = [f"lambda sizes: {holds}"] if holds else []
    told = _told(names, shapes, valid)
    arguments = ", ".join(ast.unparse(one) for one in _arguments(signature)[: len(names)])
    yield f"    def check_inputs(self, {arguments.replace(' = None', '=None')}) -> None:"
    yield '        """Raise ValueError for inputs of sizes that the network does not take."""'
    yield from lines(call("check_sizes", _mapping(rows), literal(told), *function), 8)


def _mapping(rows: Sequence[Code]) -> Code:
    return (Call("", tuple(Argument(row) for row in rows), "{}"),)


def _formulas(network: Compiled, valid: ValidSizes, known: set[str]) -> tuple[str, str]:
    """Python for the conditions of both modes, and for those of inference only."""
    if comparisons(valid.formula) > MOST_COMPARISONS or not symbols_of(valid.formula) <= known:
        return "", ""
    training = {*_parts(valid_sizes(network, training=True).formula)}
    parts = _parts(valid.formula)
    both = " and ".join(_python(part) for part in parts if part in training)
    only = " and ".join(_python(part) for part in parts if part not in training)
    return both, f"(self.training or {only})" if only else ""


def _parts(formula: Condition) -> tuple[Condition, ...]:
    if formula == TRUE:
        return ()
    return formula.parts if isinstance(formula, All) else (formula,)


def _python(part: Condition) -> str:
    """A condition of the language as Python, over `sizes["H"]`."""
    tree = ast.parse(condition_text(part), mode="eval")

    class Sizes(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            text = f"sizes[{node.id!r}]"
            return node if node.id in ("min", "max") else ast.parse(text, mode="eval").body

    text = ast.unparse(Sizes().visit(tree)).replace("'", '"')
    return f"({text})" if isinstance(tree.body, ast.BoolOp) else text


def _symbol(size: Dim) -> frozenset[str]:
    """The symbol of a size, if it is one."""
    return size.symbols if size in map(Dim.symbol, size.symbols) else frozenset()


def _wanted(size: Dim) -> str:
    if size.constant is not None:
        return str(size.constant)
    (name,) = _symbol(size) or ("",)
    return literal(name) if name else "None"


def _told(names: Sequence[str], shapes: Sequence[TensorType], valid: ValidSizes) -> str:
    texts = [f"[{', '.join(map(str, kind.shape))}]" for kind in shapes]
    if len(names) > 1:
        texts = [f"`{name}` {text}" for name, text in zip(names, texts, strict=True)]
    limits = f" with {valid}" if valid.symbols else ""
    if comparisons(valid.formula) > MOST_COMPARISONS:
        limits = ""
    return f"{', '.join(texts)}{limits}"


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
