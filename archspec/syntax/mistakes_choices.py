"""Mistakes in `if`, `for` and comparisons."""

from __future__ import annotations

from archspec.syntax import comprehension_edits
from archspec.syntax import mistake_edits as edits
from archspec.syntax.keywords import RESERVED_WORDS
from archspec.syntax.mistake import BEFORE, DROP, Mistake, insert, replace
from archspec.syntax.site import Site

_IF_FORMS = "layers are chosen with `if c { .. } else { .. }`, values with `if c then a else b`"


def words_of_statement(s: Site) -> list[str]:
    """Types of the previous tokens, back to the last line break."""
    types = []
    for offset in range(-1, -min(s.at, 60) - 1, -1):
        token = s.near(offset)
        if token.type == "NL":
            break
        types.append(token.type)
    return types


def _in_is_next(s: Site) -> bool:
    """Whether the names of a `for` precede; after an expression, a sum could continue as well."""
    return s.expects("in") and not s.expects("+")


def _binds_already(s: Site) -> bool:
    """Whether the statement has a `=` that no condition follows."""
    types = words_of_statement(s)
    return "=" in types and not {"if", "where", "when", "and", "or", "not"} & set(types)


CHOICES = (
    Mistake(
        "E0131",
        lambda s: s.type == ":" and s.after == "{" and not s.near(1).first and s.expects("{"),
        "there is no `:` before the braces of a body",
        "block a {\n  for i in 0..3«:» { relu }\n}",
        fix="remove it",
        repair=DROP,
    ),
    Mistake(
        "E0131",
        lambda s: s.before == "for" and s.type == "[",
        "the names of a `for` are not in brackets: `for a, b in pairs { .. }`",
        "block a {\n  for «[»w, n] in sizes { conv(w) }\n}",
        fix="remove the brackets",
        edits=edits.names_of_loop,
    ),
    Mistake(
        "E0131",
        lambda s: s.before == "for" and s.type not in RESERVED_WORDS,
        "a name is missing after `for`: `for i in 0..n { .. }`",
        "block a {\n  «for» { relu }\n}",
        points=BEFORE,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "NL" and s.after == "{" and s.expects("{"),
        "the `{` must be at the end of the previous line",
        "block a {\n  for i in 0..«n»\n  {\n    relu\n  }\n}",
        repair=DROP,
        points=BEFORE,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == ":" and s.before == "else",
        "use braces, not `:`; " + _IF_FORMS,
        "block a {\n  if c { relu } else«:»\n  { tanh }\n}",
        repair=DROP,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == ":" and s.expects("then"),
        "use braces, not `:`; " + _IF_FORMS,
        "block a {\n  y = if c«:» 1 else 2\n}",
        fix="write `then` for a value, braces for a layer",
        repair=replace("then"),
        edits=edits.chosen,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == ":" and s.after_operand and s.expects("{", "}"),
        "use braces, not `:`: `for i in 0..n { .. }`",
        "block a {\n  for i in 0..n«:»\n    relu\n}",
        fix="put the body in braces",
        edits=edits.braces,
    ),
    Mistake(
        "E0131",
        lambda s: _in_is_next(s) and (s.word() == "of" or s.type in ("=", ":")),
        "write `for i in 0..n { .. }`",
        "block a {\n  for i «of» widths { conv(i) }\n}",
        repair=replace("in"),
    ),
    Mistake(
        "E0131",
        lambda s: _in_is_next(s) and not s.in_parameters and "for" in words_of_statement(s),
        "`in` is missing: `for i in 0..n { .. }`",
        "block a {\n  for i «0»..n { conv(i) }\n}",
        repair=insert("in"),
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "NAME" and s.word() in ("elif", "elseif", "elsif") and s.before == "}",
        "`<word>` is written `else if`",
        "block a {\n  if c { relu } «elif» d { tanh }\n}",
        repair=replace("else", "if"),
    ),
    Mistake(
        "E0120",
        lambda s: s.type == "=" and s.after_operand and s.bracket in ("(", "["),
        "an item has one `=`, between its name and its value",
        "block a {\n  input x: f32[B = 1, H = W «=» 8]\n  relu\n}",
    ),
    Mistake(
        "E0120",
        lambda s: s.type == "=" and s.before == "NAME" and s.near(-2).type == "->",
        "the name of a layer is a label, written `<before>: layer`",
        "block a {\n  y = x -> act «=» relu\n}",
        repair=replace(":"),
    ),
    Mistake(
        "E0120",
        lambda s: s.type == "=" and _binds_already(s),
        "a statement has one `=`, which binds the names on its left",
        "block a {\n  x = y «=» 3\n}",
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "=" and s.expects("=="),
        "`=` binds a name; to compare, write `==`",
        "block a {\n  if n «=» 1 { relu }\n}",
        repair=replace("=="),
    ),
    Mistake(
        "E0131",
        lambda s: s.type in ("else", "NAME", "NUMBER", "STRING") and s.expects("then"),
        "`then` is missing: `if c then a else b`",
        "block a {\n  y = if c «1» else 2\n}",
        fix="write `then`; layers and data can also be chosen with `if c { .. } else { .. }`",
        repair=insert("then"),
    ),
    Mistake(
        "E0131",
        lambda s: s.expects("then") and s.ends,
        "this `if` has nothing to choose; " + _IF_FORMS,
        "block a {\n  y = if «c»\n}",
        repair=insert("then", "ERROR", "else", "ERROR"),
        points=BEFORE,
    ),
    Mistake(
        "E0131",
        lambda s: s.expects("else") and "then" in words_of_statement(s),
        "`if c then a` needs an `else`",
        "block a {\n  y = if c then «1»\n}",
        fix="for a layer that may be absent, write `if c { .. }`",
        repair=insert("else", "ERROR"),
        points=BEFORE,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "else",
        "this `else` belongs to no `if`",
        "block a {\n  relu «else» tanh\n}",
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "then",
        "this `then` belongs to no `if`",
        "block a {\n  relu «then» tanh\n}",
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "for" and s.after_operand and s.bracket == "[",
        "a comprehension is a list of its own; beside other items it is spread with `...`",
        "block a {\n  [relu, conv(8, r) «for» r in rates]\n}",
        fix="write `[g, ...[f(r) for r in rates]]`",
        edits=comprehension_edits.spread_comprehension,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "for" and s.after_operand,
        "a comprehension must be alone in its brackets: `[x for x in xs]`",
        "block a {\n  n = f(1, x «for» x in xs)\n}",
        fix="put it in brackets: a function takes a list",
        edits=comprehension_edits.comprehension_in_brackets,
    ),
)
