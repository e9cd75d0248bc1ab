"""Productions to syntax tree: bodies and statements."""

from __future__ import annotations

import re
from typing import Any

from archspec.diagnostics.model import Edit, Fix
from archspec.source import Span
from archspec.syntax import ast, dictionaries
from archspec.syntax.context import Context, Dots, Equation, Item
from archspec.syntax.declaration_fixes import buffer_of_numbers, init_meant, parameter_of_tensor
from archspec.syntax.keywords import TYPE_WORDS
from archspec.syntax.targets import as_target, as_type, label_word, plain


def empty_body(_k: Context, span: Span, _c: list[Any]) -> ast.Body:
    """`{}`."""
    return ast.Body(span, ())


def filled_body(_k: Context, span: Span, c: list[Any]) -> ast.Body:
    """`{ .. }`."""
    return ast.Body(span, tuple(c[1]))


def unmarked(k: Context, span: Span, c: list[Any]) -> ast.Bind | ast.ExprStmt | ast.Input:
    """`a, b = value`, or an expression."""
    items: list[Item] = c[0]
    if _declares(k, items[0]):
        at = items[0].span.start
        cure = Fix("write `input`", (Edit(k.span(at, at), "input "),))
        k.error("E0127", "inputs are declared with `input`", items[0].span, fix=cure)
        return input_(k, span, [None, items, (), None])
    for item in items[:-1]:
        if isinstance(item, Equation):
            _several(k, item, items, "y = (a, b)")
            return ast.ExprStmt(span, ast.Missing(span))
    last = items[-1]
    if isinstance(last, Equation):
        left: Item = ast.Spread(last.left.span, last.left) if last.spread else last.left
        targets = [as_target(k, item) for item in (*items[:-1], left)]
        return ast.Bind(span, tuple(t for t in targets if t is not None), last.right)
    if dictionaries.is_dictionary(items):
        k.error("E0118", dictionaries.MESSAGE, span, fix=dictionaries.instead(k.source, span.start))
        return ast.ExprStmt(span, ast.Missing(span))
    if len(items) > 1 and k.is_faulty(span):
        return ast.ExprStmt(span, ast.Missing(span))
    if len(items) > 1:
        k.error(
            "E0126",
            "several values in one statement",
            span,
            fix="write a tuple, `(a, b)`, or parallel layers, `[f, g]`",
        )
        return ast.ExprStmt(span, ast.Missing(span))
    value = plain(k, last, "a statement")
    if isinstance(value, ast.Spread):
        k.error(
            "E0124", "`...` is allowed only inside `( )` and `[ ]`: write `(...name)`", value.span
        )
        value = ast.Missing(value.span)
    if isinstance(value, ast.Missing):
        return _damaged(k, span, value)
    return ast.ExprStmt(span, value)


def _several(k: Context, first: Equation, items: list[Item], form: str) -> None:
    """Report the error in `a = b, ..`; `form` shows how to bind a tuple."""
    following = items[items.index(first) + 1]
    if following.span.line > first.span.to(first.right.span).line and not k.is_damaged(
        following.span.start
    ):
        at = k.source.text.find(",", first.span.end)
        cure = Fix("remove it", (Edit(k.span(at, at + 1), ""),))
        message = "this `,` continues the statement on the next line"
        k.error("E0126", message, k.span(at, at + 1), fix=cure)
    elif any(isinstance(item, Equation) for item in items[items.index(first) + 1 :]):
        k.error(
            "E0120", "a statement has one binding; start the next one on a new line", first.span
        )
    elif not any(isinstance(item, ast.Missing) for item in items):
        place = first.right.span.to(items[-1].span)
        if k.is_faulty(place):
            return
        k.error("E0126", f"a tuple is written in parentheses: `{form}`", place)


def _declares(k: Context, item: Item) -> bool:
    """Whether this is just `x: f32[B, N]`, which can only be an input."""
    if not isinstance(item, ast.Labelled) or not label_word(item.label):
        return False
    node = item.inner
    if not isinstance(node, ast.Index) or not isinstance(node.base, ast.Name):
        return False
    return node.base.text in TYPE_WORDS


_BINDING = re.compile(r"[\w\s,.()]+?(?=(?::[^=\n]*)?=(?!=))")


def _damaged(k: Context, span: Span, value: ast.Missing) -> ast.Bind | ast.ExprStmt:
    """A statement that could not be parsed; the names that it seems to bind remain known."""
    left = _BINDING.match(span.text[:300])
    if left is None:
        return ast.ExprStmt(span, value)
    words = re.finditer(r"[A-Za-z_]\w*", left.group())
    targets = (
        ast.NameTarget(k.span(span.start + w.start(), span.start + w.end()), w.group())
        for w in words
    )
    return ast.Bind(span, tuple(targets), value)


def _start_of_line(k: Context, at: int) -> int:
    """The number of spaces before the statement that contains an offset."""
    text = k.source.text
    start = text.rfind("\n", 0, at) + 1
    word = text.rfind("output", start, at)
    return max(word, start) - start


def _one(k: Context, items: list[Item], word: str) -> Item:
    """The only item of a statement that takes one item."""
    if len(items) > 1:
        last = items[-1]
        place = items[0].span.to(last.span)
        fix = Fix("write a tuple, `(a, b)`, or one statement for each")
        if word == "output" and not any(isinstance(item, ast.Missing) for item in items):
            margin = "\n" + " " * (_start_of_line(k, place.start))
            texts = [item.span.text for item in items]
            written = f"{margin}output ".join(texts)
            named = f"`output {texts[0]}`" if len(texts[0]) < 30 else "`output y`"
            fix = Fix(f"write a statement for each output: {named} ..", (Edit(place, written),))
        k.error("E0126", f"`{word}` takes one value", place, fix=fix)
        return ast.Missing(items[0].span.to(last.span))
    return items[0]


# ---------------------------------------------------------------------- inputs and outputs


def input_(k: Context, span: Span, c: list[Any]) -> ast.Input:
    """`input x: [B, C], ...rest where .. when ..`."""
    items = [_input_item(k, item) for item in c[1]]
    return ast.Input(span, tuple(i for i in items if i is not None), tuple(c[2]), c[3])


def _input_item(k: Context, item: Item) -> ast.InputItem | None:
    span = item.span
    if isinstance(item, ast.Missing):
        return None
    if isinstance(item, Dots):
        k.error("E0124", "`...` needs a name for what it collects: `input ...taps`", span)
        return None
    if isinstance(item, Equation):
        fix = Fix("a free dim may have a default size: `input x: f32[B = 1, 3, H = 224, W = 224]`")
        if as_type(k, item.right) is not None and isinstance(item.left, ast.Name):
            between = k.span(item.left.span.end, item.right.span.start)
            fix = Fix("the shape follows `:`", (Edit(between, ": "),))
        if item.right.span.text in ("None", "none"):
            name = item.left.span.text.partition(":")[0].strip()
            fix = Fix(
                f"an input that may be absent exists on a condition: `input {name}: f32[..] when "
                "masked`, with a parameter such as `masked: bool = false`"
            )
        k.error("E0127", "an input has no default", span, fix=fix)
        return None
    rest = isinstance(item, ast.Spread)
    node = item.inner if isinstance(item, ast.Spread) else item
    if isinstance(node, ast.Name):
        return ast.InputItem(span, node.text, None, rest)
    if isinstance(node, ast.Labelled) and (word := label_word(node.label)):
        return ast.InputItem(span, word, _shape(k, word, node.inner), rest)
    k.error("E0127", "an input is written `name` or `name: [B, C, H, W]`", span)
    return None


def _shape(k: Context, word: str, node: ast.Expr) -> ast.TypeExpr | None:
    shape = as_type(k, node)
    if shape is None and not isinstance(node, ast.Missing):
        k.error(
            "E0122",
            f"after `{word}:` there must be a shape, such as `[B, C, H, W]` or `f32[B, N]`",
            node.span,
            fix=_in_brackets(k, node) or _of_library(node),
        )
    return shape


_ELEMENTS = {
    "f32": ("float", "float16", "float32", "float64", "bfloat16", "half", "double", "Float"),
    "i64": ("int", "int8", "int16", "int64", "long", "Long", "Int", "uint8"),
    "i32": ("int32",),
    "bool": ("bool", "bool_", "Bool"),
    "c64": ("complex64",),
}
"""Element types by their names in other libraries."""


def _of_library(node: ast.Expr) -> Fix | None:
    """The fix for `torch.float32[B = 1, 8]`."""
    base = node.base if isinstance(node, ast.Index) else None
    if not isinstance(base, ast.Attribute):
        return None
    found = [ours for ours, theirs in _ELEMENTS.items() if base.name in theirs]
    if not found:
        return None
    return Fix(f"the element type is one word: `{found[0]}[..]`", (Edit(base.span, found[0]),))


def _in_brackets(k: Context, node: ast.Expr) -> Fix | None:
    """The fix that writes a shape in brackets instead of parentheses."""
    if isinstance(node, ast.Call) and node.function.span.text in _ELEMENTS:
        place = k.span(node.function.span.end, node.span.end)
        written = f"{node.function.span.text}[{place.text[1:-1].rstrip(', ')}]"
        return Fix(f"write `{written}`", (Edit(node.span, written),))
    if not isinstance(node, ast.TupleExpr):
        return None
    written = f"f32[{node.span.text[1:-1].rstrip(', ')}]"
    return Fix(f"write `{written}`", (Edit(node.span, written),))


def output(k: Context, span: Span, c: list[Any]) -> ast.Output:
    """`output value`, `output name = value`, `output a, b = value`."""
    items: list[Item] = c[1]
    last = items[-1]
    whole = last.right if isinstance(last, Equation) else last
    if isinstance(whole, ast.Anonymous) and dictionaries.is_entry(whole):
        place = whole.body.statements[0].span
        k.error(
            "E0118", dictionaries.MESSAGE, place, fix=dictionaries.instead(k.source, place.start)
        )
        return ast.Output(span, (), ast.Missing(span), c[2])
    first = next((item for item in items[:-1] if isinstance(item, Equation)), None)
    if first is not None:
        _several(k, first, items, "output a, b = (x, y)")
        return ast.Output(span, (), ast.Missing(span), c[2])
    if not isinstance(last, Equation):
        return ast.Output(span, (), plain(k, _one(k, items, "output"), "an output"), c[2])
    left: Item = ast.Spread(last.left.span, last.left) if last.spread else last.left
    names: list[str] = []
    for item in (*items[:-1], left):
        if isinstance(item, ast.Name):
            names.append(item.text)
        elif not isinstance(item, ast.Missing):
            fix: Fix | None = None
            if isinstance(item, ast.Labelled) and as_type(k, item.inner) is not None:
                place = k.span(item.label.span.end, item.span.end)
                fix = Fix("assert its shape where a name is bound: `y: [B, C] = ..`", (
                    Edit(place, ""),
                ))  # fmt: skip
            message = "an output has a plain name: `output logits = ..`"
            k.error("E0127", message, item.span, fix=fix)
    complete = len(names) == len(items)
    return ast.Output(span, tuple(names) if complete else (), last.right, c[2])


# ---------------------------------------------------------------------- declarations


def param(k: Context, span: Span, c: list[Any]) -> ast.ParamDecl | ast.Bind | ast.ExprStmt:
    """`param p: f32[..] = init`."""
    return _param(k, span, c[1], fixed=False)


def param_fixed(k: Context, span: Span, c: list[Any]) -> ast.ParamDecl | ast.Bind | ast.ExprStmt:
    """`param p: f32[..] = init fixed`."""
    return _param(k, span, c[1], fixed=True)


def _param(
    k: Context, span: Span, item: Item, *, fixed: bool
) -> ast.ParamDecl | ast.Bind | ast.ExprStmt:
    value = item.right if isinstance(item, Equation) else None
    left = item.left if isinstance(item, Equation) else item
    if isinstance(item, Equation) and isinstance(left, ast.Name):
        message = "a param is declared as `param name: f32[..] = value`"
        k.error("E0127", message, left.span, fix=parameter_of_tensor(item))
        return _unknown(span, left)
    declared = _declared(k, "param", left)
    if declared is None:
        return ast.ExprStmt(span, ast.Missing(span))
    return ast.ParamDecl(span, *declared, value, fixed)


def _declared(k: Context, word: str, node: Item) -> tuple[str, ast.TypeExpr] | None:
    """Name and type of a `param` or `buffer`."""
    if isinstance(node, ast.Labelled) and (name := label_word(node.label)):
        shape = _shape(k, name, node.inner)
        return None if shape is None else (name, shape)
    if not isinstance(node, ast.Missing):
        k.error("E0127", f"a {word} is declared as `{word} name: f32[..] = value`", node.span)
    return None


def _unknown(span: Span, name: ast.Expr) -> ast.Bind:
    """A faulty declaration, whose name is bound to an unknown value."""
    target = ast.NameTarget(name.span, name.span.text)
    return ast.Bind(span, (target,), ast.Missing(span))


def buffer(k: Context, span: Span, c: list[Any]) -> ast.BufferDecl | ast.Bind | ast.ExprStmt:
    """`buffer b: i64[..] = value`."""
    return _buffer(k, span, c[1], transient=False)


def buffer_transient(
    k: Context, span: Span, c: list[Any]
) -> ast.BufferDecl | ast.Bind | ast.ExprStmt:
    """`buffer b: i64[..] = value transient`."""
    return _buffer(k, span, c[1], transient=True)


def _buffer(
    k: Context, span: Span, item: Item, *, transient: bool
) -> ast.BufferDecl | ast.Bind | ast.ExprStmt:
    if isinstance(item, Equation):
        if (meant := buffer_of_numbers(item)) is not None:
            message = "a buffer is declared as `buffer name: f32[..] = value`"
            k.error("E0127", message, item.left.span, fix=meant)
            return _unknown(span, item.left)
        declared = _declared(k, "buffer", item.left)
        if declared is not None:
            return ast.BufferDecl(span, *declared, item.right, transient)
    elif not isinstance(item, ast.Missing):
        k.error("E0127", "a buffer needs a value: `buffer name: i64[..] = value`", item.span)
    return ast.ExprStmt(span, ast.Missing(span))


def shared(k: Context, span: Span, c: list[Any]) -> ast.Shared | ast.ExprStmt:
    """`shared f = label: layer`."""
    named = _named(k, "shared", c[1])
    return ast.Shared(span, *named) if named else ast.ExprStmt(span, ast.Missing(span))


def draw(k: Context, span: Span, c: list[Any]) -> ast.DrawDecl | ast.ExprStmt:
    """`draw column = policy`."""
    named = _named(k, "draw", c[1])
    return ast.DrawDecl(span, *named) if named else ast.ExprStmt(span, ast.Missing(span))


def tie(k: Context, span: Span, c: list[Any]) -> ast.TieDecl | ast.ExprStmt:
    """`tie "head.weight" = "embed.weight"`."""
    item: Item = c[1]
    if isinstance(item, Equation) and not item.spread:
        left = plain(k, item.left, "a name of weights")
        bare = [one for one in (left, item.right) if isinstance(one, ast.Attribute)]
        if bare:
            edits = tuple(Edit(one.span, f'"{one.span.text}"') for one in bare)
            written = " = ".join(f'"{one.span.text.strip(chr(34))}"' for one in (left, item.right))
            message = "the names of weights are written in quotes"
            k.error("E0127", message, bare[0].span, fix=Fix(f"write `tie {written}`", edits))
        sides = [ast.Text(one.span, (one.span.text,)) if one in bare else one
                 for one in (left, item.right)]  # fmt: skip
        return ast.TieDecl(span, *sides)
    if not isinstance(item, ast.Missing):
        k.error("E0127", 'written as `tie "head.weight" = "embed.weight"`', item.span)
    return ast.ExprStmt(span, ast.Missing(span))


def _named(k: Context, word: str, item: Item) -> tuple[str, ast.Expr] | None:
    """Name and value of `word name = value`."""
    if isinstance(item, Equation) and isinstance(item.left, ast.Name):
        return item.left.text, item.right
    if not isinstance(item, ast.Missing):
        k.error("E0127", f"written as `{word} name = value`", item.span)
    return None


def init(k: Context, span: Span, c: list[Any]) -> ast.InitDecl | ast.ExprStmt:
    """`init conv.weight = initialiser`."""
    item: Item = c[1]
    left = item.left if isinstance(item, Equation) else item
    names: list[str] = []
    base: object = left
    while isinstance(base, ast.Attribute):
        names.append(base.name)
        base = base.base
    if isinstance(item, Equation) and names and isinstance(base, ast.Name):
        return ast.InitDecl(span, base.text, ".".join(reversed(names)), item.right)
    if not isinstance(left, ast.Missing):
        message = "written as `init op.parameter = initialiser`"
        k.error("E0127", message, item.span, fix=init_meant(item))
    return ast.ExprStmt(span, ast.Missing(span))


def assert_(k: Context, span: Span, c: list[Any]) -> ast.Assert:
    """`assert condition, "message"`."""
    values = [plain(k, item, "an assertion") for item in c[1]]
    if len(values) > 2:
        extra = values[2].span.to(values[-1].span)
        k.error("E0126", 'an assertion is written `assert condition, "message"`', extra)
    return ast.Assert(span, values[0], values[1] if len(values) > 1 else None)
