"""Fixes for undeclared names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.semantics.program.definitions import BlockDefinition
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import walk


def comment_behind(place: Span) -> Fix | None:
    """The fix if a word after `//` was meant as a comment."""
    before = place.source.text[: place.start].rstrip(" \t")
    if not before.endswith("//") or place.source.line(place.line).rstrip()[-1:] in (")", "]"):
        return None
    sign = Span(place.source, len(before) - 2, len(before))
    return Fix("a comment starts with `#`; `//` divides", (Edit(sign, "#"),))


_COMPARED = re.compile(r"[ \t]*==(?!=)")


def equals_behind(place: Span) -> Fix | None:
    """The fix for `output y == x -> f`, which compares, at the beginning of a statement."""
    source = place.source
    before = source.text[: place.start].rpartition("\n")[2].strip()
    found = _COMPARED.match(source.text, place.end)
    if found is None or before not in ("", "output"):
        return None
    sign = Span(source, found.end() - 2, found.end())
    return Fix("`==` compares; a name is bound with `=`", (Edit(sign, "="),))


def is_within(inner: Span, outer: Span) -> bool:
    """Whether a span is part of another span of the same text."""
    return outer.start <= inner.start and inner.end <= outer.end


def kind_word(node: ast.BlockDef | ast.RuleClause) -> str:
    """The kind of a definition in one word."""
    if isinstance(node, ast.RuleClause):
        return "rule"
    return "network" if node.is_network else "block"


WEIGHTS = (
    "the weights of a layer are not data: two layers have one tensor with "
    '`tie "head.weight" = "embed.weight"`; weights that are used as data are declared with '
    "`param`, and `(x, w) -> affine` is a linear layer with them"
)
"""The fix offered for `embed.weight`."""


def named_results(node: ast.BlockDef) -> dict[str, ast.Output | ast.Labelled]:
    """The outputs and labelled layers of a block by name; the first one of each name."""
    found: dict[str, ast.Output | ast.Labelled] = {}
    for item in walk(node.body):
        if isinstance(item, ast.Output) and len(item.names) == 1:
            found.setdefault(item.names[0], item)
        elif isinstance(item, ast.Labelled) and (text := _text_of(item.label)) is not None:
            found.setdefault(text, item)
    return found


def layer_again(item: ast.Labelled, name: str, block: ast.BlockDef) -> Fix:
    """The fix for the label of a layer that is applied again, with a shared layer."""
    written = f"shared {name} = {item.span.text}"
    shown = written if len(written) <= 60 and "\n" not in written else f"shared {name} = {name}: .."
    words = f"to apply the layer `{name}` again with the same weights, declare it first: `{shown}`"
    around = (one for one in block.body.statements if is_within(item.span, one.span))
    statement = next(around, None)
    if not isinstance(statement, ast.Bind | ast.Output):
        return Fix(words)
    source, start = item.span.source, statement.span.start
    margin = "\n" + " " * (statement.span.column - 1)
    edits = (Edit(Span(source, start, start), written + margin), Edit(item.span, name))
    return Fix(words, edits)


def name_of_result(item: ast.Output | ast.Labelled, name: str) -> Fix | None:
    """The fix for the name of an output or of a label, which is read like a variable."""
    if isinstance(item, ast.Output):
        return _bound_first(item, name)
    return Fix(
        f"`{name}` is the label of a layer, which names its weights; a result is bound "
        f"with `=`: `{name} = x -> {name}: ..`"
    )


def _text_of(label: ast.Label) -> str | None:
    parts = label.template.parts if label.template is not None else ()
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def _bound_first(node: ast.Output, name: str) -> Fix | None:
    """`output y = x -> f` as `y = x -> f` and `output y`."""
    place, words = (
        node.span,
        f"the body cannot read the name of an output: write `{name} = ..`, then ",
    )
    words += f"`output {name}`"
    start = place.source.text.rfind("\n", 0, place.start) + 1
    margin = place.source.text[start : place.start]
    if margin.strip() or node.when is not None or not place.text.startswith("output"):
        return Fix(words)
    word = Span(place.source, place.start, place.start + len("output "))
    end = Span(place.source, place.end, place.end)
    return Fix(words, (Edit(word, ""), Edit(end, f"\n{margin}output {name}")))


def has_input(node: ast.BlockDef) -> bool:
    """Whether a block declares an input."""
    return any(isinstance(item, ast.Input) for item in node.body.statements)


def declared(node: ast.BlockDef, name: str) -> Fix:
    """The fix that declares an input of a block that has none."""
    shape = "f32[B = 1, 3, H = 224, W = 224]" if node.is_network else "[B, C, H, W]"
    line = f"input {name}: {shape}"
    first = node.body.statements[0].span
    gap = " " if first.line == node.body.span.line else "\n" + " " * (first.column - 1)
    if gap == " ":
        return Fix(f"declare the input: `{line}`")
    edit = Edit(Span(first.source, first.start, first.start), line + gap)
    return Fix(f"declare the input: `{line}`", (edit,))


def data_given(
    node: ast.Name, network: ast.BlockDef, definition: Callable[[str], object]
) -> Fix | None:
    """The fix for data that a network is given, such as `labels` in `(logits, labels) -> loss`.

    The type is that of the input of the block to which the data are passed.
    """
    statements = network.body.statements
    statement = next((one for one in statements if is_within(node.span, one.span)), None)
    uses = _applications(statement) if statement is not None else ()
    found = next(((parts, stage) for parts, stage in uses if node in parts), None)
    inputs = [one for one in statements if isinstance(one, ast.Input)]
    if found is None or not inputs:
        return None
    parts, stage = found
    function = stage.function if isinstance(stage, ast.Call) else stage
    block = definition(function.text) if isinstance(function, ast.Name) else None
    kind = _type_of(block, parts.index(node)) if isinstance(block, BlockDefinition) else ""
    condition = statement.when if isinstance(statement, ast.Output) else None
    when = f" when {condition.span.text}" if condition is not None else ""
    line = f"input {node.text}: {kind or 'f32[B, 8]'}{when}"
    last = inputs[-1].span
    place, margin = Span(last.source, last.end, last.end), " " * (last.column - 1)
    edits = (
        (Edit(place, f"\n{margin}{line}"),) if kind and network.body.span.line < last.line else ()
    )
    return Fix(f"data that the network is given are inputs: `{line}`", edits)


def _applications(node: ast.Node) -> Iterator[tuple[Sequence[ast.Expr], ast.Expr]]:
    """The data at the beginning of each chain, and the layer that they are passed to."""
    for item in walk(node):
        if isinstance(item, ast.Chain):
            head, stage = item.stages[:2]
            yield head.items if isinstance(head, ast.TupleExpr) else (head,), stage


def _type_of(block: BlockDefinition, index: int) -> str:
    """The type of an input of a block as that of an input of a network; empty if there is none."""
    statements = block.node.body.statements
    items = [item for one in statements if isinstance(one, ast.Input) for item in one.items]
    kind = items[index].type if index < len(items) else None
    if kind is None:
        return ""
    text = kind.span.text.replace(", ...", "")
    return text if not text.startswith("[") else f"f32{text}"
