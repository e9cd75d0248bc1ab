"""Common mistakes and their messages.

One row for each mistake, tried from the top. `example` has the mistake between guillemets, where
the report must point; the rows are their own tests. `repair` is how parsing continues: with tokens
inserted before the offending one or replacing it; without it the enclosing item is given up.
"""

from __future__ import annotations

from archspec.syntax import dictionaries
from archspec.syntax import mistake_edits as edits
from archspec.syntax.keywords import DEFINITION_WORDS, RESERVED_WORDS, STATEMENT_WORDS
from archspec.syntax.mistake import BEFORE, DROP, Mistake, insert, replace
from archspec.syntax.mistakes_choices import CHOICES
from archspec.syntax.mistakes_definitions import DEFINITIONS, PARAMETERS
from archspec.syntax.mistakes_python import PYTHON, outputs_of_a_dictionary
from archspec.syntax.mistakes_types import PARAMETER_TYPES
from archspec.syntax.site import OPERAND_STARTS, Site

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})

_OPERATORS = _COMPARISONS | {"+", "-", "*", "/", "//", "%", "**", "..", "and", "or", "not"}


def _joined(s: Site) -> bool:
    """Whether an operand directly follows another one."""
    return s.after_operand and s.type in OPERAND_STARTS


STATEMENTS = (
    Mistake(
        "E0118",
        lambda s: s.second_of_statement and s.word(-1) in DEFINITION_WORDS,
        "a definition cannot be inside a body",
        "block a {\n  «block» b { relu }\n  b\n}",
        fix="move it out; `{ .. }` alone is a block without a name",
        points=BEFORE,
    ),
    Mistake(
        "E0117",
        lambda s: s.word(-1) == "where" and s.near(-2).type == "," and s.head() == "input",
        "a condition follows the type without a comma",
        "block a {\n  input x: [B, H], «where» H % 2 == 0\n  x -> relu\n}",
        fix="remove the comma",
        points=BEFORE,
        edits=edits.comma_out,
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.after_operand and s.word() in STATEMENT_WORDS and s.near(1).type in ("NAME", "(")
        ),
        "a statement begins on a new line",
        "block a { input x «output» y }",
        fix="begin a new line before `<word>`",
        repair=lambda s: replace("NL", s.word()),
        edits=edits.new_line,
    ),
    Mistake(
        "E0117",
        lambda s: s.near(-2).type in ("param", "buffer", "input") and s.type == "NAME",
        "`:` is missing between `<before>` and its type",
        "block a {\n  param p «f32»[1] = zeros\n  relu\n}",
        repair=insert(":"),
    ),
    Mistake(
        "E0118",
        lambda s: s.type == "=>" and not s.expects("=>"),
        "`=>` belongs to rules; layers are joined with `->`, names are bound with `=`",
        "block a {\n  conv(3) «=>» relu\n}",
        repair=replace("->"),
    ),
    Mistake(
        "E0118",
        lambda s: (
            s.type == "when" and s.after_operand and not s.expects("when") and s.bracket == "{"
        ),
        "only inputs and outputs can have `when`",
        "block a {\n  y = relu «when» training\n  y\n}",
        fix="compute the value in the output that needs it, `output loss = .. when training`; "
        "several values are outputs of one block",
    ),
)

NAMES = (
    Mistake(
        "E0116",
        lambda s: s.type == "=" and s.before in ("[", ",") and s.bracket == "[",
        "the name of a dimension is missing before this `=`: `H = 224`",
        "block a {\n  input x: f32[B = 1, 3, «=» 8]\n  relu\n}",
        repair=insert("ERROR"),
    ),
    Mistake(
        "E0116",
        lambda s: s.type == "=" and s.before in ("(", ",") and s.bracket == "(",
        "a name is missing before this `=`: `name = value`",
        "block a {\n  conv(8, 3, «=» 2)\n}",
        repair=insert("ERROR"),
    ),
)

ITEMS = (
    Mistake(
        "E0112",
        lambda s: (
            s.type == "STRING"
            and s.before == "NAME"
            and s.word(-1) in ("f", "r", "b", "fr", "rf")
            and s.near(-1).end == s.token.start
        ),
        "every string may contain expressions: `<before>` is not needed",
        'block a {\n  y = «f»"layer{i}"\n}',
        fix="remove the `<before>`",
        points=BEFORE,
        edits=edits.without_before,
    ),
    Mistake(
        "E0117",
        lambda s: s.type == ":" and s.starts_statement,
        "a label must be on the same line as its `:`",
        "block a {\n  «:» conv(3)\n}",
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.type == ":"
            and s.before == ")"
            and s.after == "NAME"
            and s.near(2).type in ("->", "NL", ",", "}", ")", "]", "$END")
        ),
        "a layer is named by a label before it, `<meant>: layer`",
        "block a {\n  conv(3)«:» stem -> relu\n}",
        fix="write the label before the layer",
        meant=lambda s: s.word(1),
        edits=edits.label_before,
    ),
    Mistake(
        "E0117",
        lambda s: s.type == ":",
        "only a name or a string can be a label before `:`",
        "block a {\n  conv(3)«:» relu(4)\n}",
        fix='a computed label is one string with expressions in it: `"layer{i}": f`',
        edits=edits.joined_label,
    ),
    Mistake(
        "E0116",
        lambda s: s.type == "=" and s.starts_statement,
        "a name is missing before this `=` on the same line",
        "block a {\n  «=» 3\n  relu\n}",
        repair=insert("ERROR"),
    ),
    Mistake(
        "E0110",
        lambda s: s.type == "," and s.after_operand and s.bracket in ("", "{"),
        "a comma is not allowed here: it separates items inside brackets",
        "rule f(n) => n«,»\n  n",
    ),
    Mistake(
        "E0116",
        lambda s: s.type == "->" and s.before == "->",
        "there is nothing between the two `->`",
        "block a {\n  conv(3) -> «->» relu\n}",
        repair=insert("ERROR"),
    ),
    Mistake(
        "E0116",
        lambda s: s.type == "->" and s.expects("NAME"),
        "there is nothing before this `->`",
        "block a {\n  «->» relu\n}",
        repair=insert("ERROR"),
    ),
    Mistake(
        "E0116",
        lambda s: s.type == "," and s.before == ",",
        "there is nothing between the two commas",
        "block a {\n  conv(3,«,» 4)\n}",
        repair=DROP,
    ),
    Mistake(
        "E0116",
        lambda s: s.type == "," and s.before in ("(", "["),
        "there is nothing before this comma",
        "block a {\n  conv(«,» 4)\n}",
        repair=DROP,
    ),
    Mistake(
        "E0118",
        lambda s: (
            s.type in ("}", "NL")
            and s.before == ","
            and s.bracket == "{"
            and s.near(s.opener() + 1).type == "STRING"
            and s.near(s.opener() + 2).type == ":"
        ),
        dictionaries.MESSAGE,
        'block a {\n  input x\n  output {«"y": x -> relu,» }\n}',
        fix="results get names as outputs: `output a = ..`, a statement for each",
        points=lambda s: (s.opener() + 1, -1),
        edits=outputs_of_a_dictionary,
    ),
    Mistake(
        "E0116",
        lambda s: (s.ends or s.type in ("then", "else", "=", "=>")) and s.expects("ERROR"),
        "something is missing after `<before>`",
        "block a {\n  y = x «->»\n  z = 3\n}",
        repair=insert("ERROR"),
        points=BEFORE,
    ),
    Mistake(
        "E0131",
        lambda s: s.type in _COMPARISONS and s.after_operand,
        "comparisons cannot be chained: write `a < b and b < c`",
        "block a {\n  y = 1 < n «<» 3\n}",
    ),
    Mistake(
        "E0131",
        lambda s: s.type in ("if", "for") and s.before in _OPERATORS,
        "`<word>` must be in parentheses after `<before>`: `<before> (<word> ..)`",
        "block a {\n  output (y + «if» c { x } else { y }) -> relu\n}",
    ),
    Mistake(
        "E0132",
        lambda s: s.type in RESERVED_WORDS and s.expects("NAME"),
        "`<word>` is a reserved word and cannot be a name",
        "block a {\n  y = conv(«in»)\n}",
        repair=replace("NAME"),
    ),
    Mistake(
        "E0113",
        lambda s: (
            s.type == "."
            and not s.after_operand
            and s.after == "NUMBER"
            and s.near(1).start == s.token.end
        ),
        "a digit is missing before the decimal point",
        "block a {\n  y = x * «.»5\n}",
        fix="write a 0 before it",
        repair=DROP,
        edits=edits.leading_zero,
    ),
    Mistake(
        "E0113",
        lambda s: s.before == "." and s.type == "NUMBER",
        "only a name can follow `.`",
        "block a {\n  y = net.«0»\n}",
        fix='a path with numbers is written in quotes: `"layers.0"`',
        repair=replace("NAME"),
    ),
    Mistake(
        "E0116",
        lambda s: s.before == ".",
        "a name is missing after `.`",
        "block a {\n  y = net«.»(3)\n}",
        repair=insert("NAME"),
        points=BEFORE,
    ),
    Mistake(
        "E0117",
        lambda s: s.word() == "as" and s.after_operand and s.after == "NAME" and s.expects("->"),
        "a layer is named by a label before it, `name: layer`",
        "block a {\n  conv(3) «as» stem -> relu\n}",
        fix="write the label before the layer",
        edits=edits.label_before,
    ),
    Mistake(
        "E0110",
        lambda s: s.before == "->" and s.type in ("+", "*", "/") and s.after in OPERAND_STARTS,
        "`->` passes data to a layer: `<word>` is written behind the whole chain",
        "block a {\n  input x\n  output x -> relu -> «+» x\n}",
        fix="put the chain in parentheses: `(x -> f) <word> y`",
        edits=edits.sum_of_chain,
    ),
    Mistake(
        "E0117",
        lambda s: _joined(s) and s.bracket in ("(", "[") and s.token.first and s.expects(","),
        "`,` is missing after this",
        "block a {\n  [\n    conv(3«)»\n    relu,\n  ]\n}",
        repair=insert(","),
        points=BEFORE,
    ),
    Mistake(
        "E0117",
        lambda s: _joined(s) and s.bracket in ("(", "[") and s.expects(","),
        "`,` or `->` is missing before this",
        "block a {\n  conv(3 «4»)\n}",
        repair=insert(","),
    ),
    Mistake(
        "E0117",
        lambda s: _joined(s) and s.type != "{" and s.expects("->"),
        "`->` is missing before `<word>`",
        "block a {\n  conv(3) «relu» -> tanh\n}",
        repair=insert("->"),
    ),
)

GENERIC = (
    Mistake(
        "E0110",
        lambda s: s.ends,
        "something is missing after `<before>`",
        "block a(n«:») { relu }",
        points=BEFORE,
    ),
    Mistake(
        "E0110",
        lambda s: s.expects("NAME"),
        "a name, a value or a layer is expected here, not `<word>`",
        "block a {\n  y = «*» 3\n}",
    ),
    Mistake(
        "E0110",
        lambda s: True,
        "`<word>` is not expected here",
        "block a {\n  y «{» relu }\n}",
    ),
)

MISTAKES = (
    *DEFINITIONS,
    *PARAMETER_TYPES,
    *PARAMETERS,
    *PYTHON,
    *STATEMENTS,
    *NAMES,
    *CHOICES,
    *ITEMS,
    *GENERIC,
)
