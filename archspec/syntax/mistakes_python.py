"""Statements, operators and heads of Python, and of other languages."""

from __future__ import annotations

from archspec.diagnostics.model import Edit
from archspec.diagnostics.suggest import closest
from archspec.syntax import comprehension_edits, conditional_edits
from archspec.syntax import mistake_edits as edits
from archspec.syntax.dictionaries import instead
from archspec.syntax.keywords import PARAMETER_TYPES, STATEMENT_WORDS
from archspec.syntax.mistake import BEFORE, Mistake, insert, replace
from archspec.syntax.mistakes_choices import words_of_statement
from archspec.syntax.site import Site

_RETURNS = ("return", "yield")
_BINDINGS = ("let", "var", "val", "const", "auto")
_WORDS = {
    "while": "write `for i in 0..n { .. }`, or a recursive rule",
    "def": "a named layer is a `block`, which cannot be inside a body",
    "class": "a named layer is a `block`, which cannot be inside a body",
    "import": "other files are imported with `use`, at the top of the file",
    "from": "other files are imported with `use`, at the top of the file",
    "del": "a name is bound once; remove this line",
    "global": "a block sees only its own parameters and inputs; remove this line",
    "nonlocal": "bodies of `for` and `if` see the names around them; remove this line",
    "with": "remove it: gradients are stopped by `x -> detach`, layers are named with labels, "
    "`name: f`, and precision and devices belong to training",
    "raise": 'a condition that must hold is written `assert condition, "message"`',
    "try": "there are no exceptions: remove this line",
    "switch": "choose with `if c { .. } else if d { .. }`, or with the clauses of a rule",
    "match": "choose with `if c { .. } else if d { .. }`, or with the clauses of a rule",
    "async": "remove it",
    "await": "remove it",
    "do": "write `for i in 0..n { .. }`",
}
"""Words that begin a statement in other languages, with their counterparts here."""


def _meant_statement(s: Site) -> str:
    word = s.word(-1)
    found = closest(word, STATEMENT_WORDS - {"tie"}, cutoff=0.7) if len(word) > 3 else None
    return found or ""


def _is_misspelt_statement(s: Site) -> bool:
    return (
        s.second_of_statement
        and s.type in ("NAME", "STRING")
        and s.near(-1).type == "NAME"
        and s.token.depth > 0
        and bool(_meant_statement(s))
    )


def outputs_of_a_dictionary(s: Site) -> tuple[Edit, ...]:
    """`output {"a": x, "b": y,}` as an output for each entry."""
    first = 1 if s.type == "{" else s.opener() + 1
    return instead(s.reader.k.source, s.near(first).start).edits


def _in_comprehension(s: Site) -> bool:
    """Whether `for .. in` precedes in the same brackets."""
    opener, depth = s.opener(), s.token.depth
    types = [s.near(at).type for at in range(opener, 0) if s.near(at).depth == depth]
    return "for" in types and "in" in types[types.index("for") :]


PYTHON = (
    Mistake(
        "E0131",
        lambda s: s.type == "," and s.bracket == "[" and _in_comprehension(s),
        "a comprehension is a list of its own; beside other items it is spread with `...`",
        "block a {\n  [conv(8, r) for r in rates«,» relu]\n}",
        fix="write `[...[f(r) for r in rates], g]`",
        edits=comprehension_edits.spread_comprehension,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "for" and s.bracket in ("(", "[") and _in_comprehension(s),
        "a comprehension has one `for`; `...` joins the lists of another one inside of it",
        "rule a(n) => [i * j for i in 0..n «for» j in 0..n]",
        fix="write `[...[f(i, j) for j in b] for i in a]`",
        edits=comprehension_edits.comprehension_inside,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "->" and s.bracket in ("(", "[") and _in_comprehension(s),
        "a comprehension over a chain needs the chain in parentheses",
        "block a {\n  input x\n  output (t -> relu for t in x «->» split(2))\n}",
        fix="write `in (x -> f)`",
        edits=comprehension_edits.chain_in_parentheses,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == ".." and s.after_operand and s.near(-2).type == "..",
        "a range has no step",
        "block a {\n  for i in 0..8«..»2 { relu }\n}",
        fix="write a list: `[2 * i for i in 0..4]`",
        edits=edits.steps,
    ),
    Mistake(
        "E0131",
        lambda s: (
            s.type == "NAME"
            and s.word() in ("step", "by")
            and s.after in ("NUMBER", "NAME")
            and s.near(-2).type == ".."
        ),
        "a range has no step",
        "block a {\n  for i in 0..8 «step» 2 { relu }\n}",
        fix="write a list: `[2 * i for i in 0..4]`",
        edits=edits.steps,
    ),
    Mistake(
        "E0131",
        lambda s: (
            s.type == "..."
            and s.after_operand
            and s.near(-1).end == s.token.start
            and s.near(1).start == s.token.end
        ),
        "a range is written with two dots, `0..n`",
        "block a {\n  for i in 0«...»3 { relu }\n}",
        fix="write `..`",
        repair=replace(".."),
        edits=lambda s: (Edit(s.span(), ".."),),
    ),
    Mistake(
        "E0131",
        lambda s: s.type in ("=", "<") and s.before in ("..", "DOTS_END"),
        "a range does not contain its end, and is written `0..n`",
        "block a {\n  for i in 0..«=»3 { relu }\n}",
        fix="write `<edit>`",
        edits=edits.half_open,
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.type in ("NUMBER", "STRING", "NAME")
            and s.near(-2).type == "="
            and s.near(-3).type == "NAME"
            and s.word(-1) in PARAMETER_TYPES
            and s.bracket == "{"
        ),
        "a value has no type in front of it",
        "block a {\n  n = int «3»\n  conv(n, 3)\n}",
        fix="write `<meant> = <word>`; a parameter has its type after its name: "
        "`<meant>: <before> = <word>`",
        meant=lambda s: s.word(-3),
        edits=edits.without_before,
    ),
    Mistake(
        "E0131",
        lambda s: (
            s.type in ("NAME", "STRING", "[")
            and s.after_operand
            and s.expects("{")
            and "for" in words_of_statement(s)
        ),
        "the body of a `for` is in braces: `for i in 0..n { .. }`",
        "block a {\n  for i in 0..3 «conv»(8, 3) -> relu\n}",
        fix="put the body in braces",
        edits=edits.body_in_braces,
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.type in ("NUMBER", "STRING")
            and s.before == "NAME"
            and s.near(-2).type in ("->", "=", ":", "output", "[", "(", "NL", "{")
            and not s.in_parameters
            and not s.token.first
            and s.near(-1).end < s.token.start
        ),
        "attributes are written in parentheses: `<before>(<word>)`",
        "block a {\n  conv «8», 3 -> relu\n}",
        fix="write `<before><edit>`",
        edits=edits.attributes,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "{" and s.before == ")" and s.expects("->") and not s.expects("{"),
        "a call cannot have a body in braces",
        "block a {\n  repeat(3) «{» relu }\n}",
        fix="a layer is repeated with `for i in 0..3 { .. }` and chosen with `if c { .. }`",
        edits=edits.repeated,
    ),
    Mistake(
        "E0118",
        lambda s: (
            s.second_of_statement
            and s.word(-1) in _RETURNS
            and s.type == "{"
            and s.near(1).type == "STRING"
            and s.near(2).type == ":"
        ),
        "there is no `<before>` and there are no dictionaries: results get names as outputs",
        'block a {\n  input x\n  «return» {"y": x -> relu}\n}',
        fix="write `output name = value` for each",
        points=BEFORE,
        edits=outputs_of_a_dictionary,
    ),
    Mistake(
        "E0118",
        lambda s: s.second_of_statement and s.word(-1) in _RETURNS,
        "there is no `<before>`: the result of a body is written `output value`",
        "block a {\n  input x\n  «return» x\n}",
        fix="write `output`",
        points=BEFORE,
        edits=edits.write_before("output"),
    ),
    Mistake(
        "E0118",
        lambda s: s.second_of_statement and s.word(-1) in _BINDINGS,
        "there is no `<before>`: a name is bound with `name = value`",
        "block a {\n  «let» y = 3\n}",
        fix="remove `<before>`",
        points=BEFORE,
        edits=edits.without_before,
    ),
    Mistake(
        "E0118",
        lambda s: s.word(-1) == "lambda" and s.type in ("NAME", ":", "(", "*"),
        "there is no `lambda`: a layer is written as it is, `{ .. }` is a block without a name",
        "block a {\n  f = «lambda» x: x + 1\n}",
        fix="write `{ relu -> conv(8, 3) }`; a layer with parameters is a block, "
        "`block f(w: int) { conv(w, 3) }`",
        points=BEFORE,
    ),
    Mistake(
        "E0118",
        lambda s: (
            s.second_of_statement
            and s.near(-1).type == "NAME"
            and s.word(-1) in _WORDS
            and s.type not in ("=", "->", "(")
        ),
        "there is no `<before>` here",
        "block a {\n  «while» c { relu }\n}",
        fix="<meant>",
        points=BEFORE,
        meant=lambda s: _WORDS[s.word(-1)],
    ),
    Mistake(
        "E0118",
        lambda s: (
            s.ends and s.before == ":" and s.near(-3).type in ("NL", "{") and s.word(-2) in _WORDS
        ),
        "there is no `<meant>` here",
        "block a {\n  «try»:\n    y = relu\n}",
        fix="bodies are written in braces, and there are no exceptions: remove this line",
        points=(-2, -2),
        meant=lambda s: s.word(-2),
    ),
    Mistake(
        "E0118",
        _is_misspelt_statement,
        "`<before>` does not start a statement",
        "block a {\n  «ouput» y = x\n}",
        fix="did you mean `<meant>`?",
        points=BEFORE,
        meant=_meant_statement,
        edits=lambda s: edits.write_before(_meant_statement(s))(s),
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.near(-2).type == "output"
            and s.type in ("NAME", "(", "STRING")
            and s.near(-1).type == "NAME"
        ),
        "`=` is missing between the name of the output and its value",
        "block a {\n  input x\n  output y «x» -> relu\n}",
        repair=insert("="),
    ),
    Mistake(
        "E0110",
        lambda s: (
            s.type in ("*", "**")
            and s.before in ("(", "[", ",")
            and s.after in ("NAME", "[", "(")
            and not s.in_parameters
        ),
        "`<word>` cannot unpack a list: write `...`",
        "block a {\n  conv(«*»sizes)\n}",
        repair=replace("..."),
    ),
    Mistake(
        "E0117",
        lambda s: s.type == ">" and s.before == "-",
        "`->` is written without a space",
        "block a {\n  input x\n  output x - «>» relu\n}",
        fix="write `->`",
        edits=edits.arrow_in_two,
    ),
    Mistake(
        "E0117",
        lambda s: s.type == ":" and s.before == "NAME" and s.near(-2).type == ".",
        'a label with dots is written in quotes: `"a.b": layer`',
        "block a {\n  stem.conv«:» conv(8, 3)\n}",
        fix="put the label in quotes",
        edits=edits.dotted_label,
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "NAME" and s.word() == "is" and s.after_operand,
        "`is` is written `==`, and `None` is `none`",
        "block a {\n  if n «is» None { relu }\n}",
        fix="a layer that may be absent has the default `identity` and needs no `if`; "
        "other parameters have a default that is a value, such as 0: `if n == 0 { .. }`",
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "if" and s.after_operand,
        "a conditional starts with `if`: `if c then a else b`",
        "block a {\n  y = 1 «if» c else 2\n}",
        fix="write `<edit>`",
        edits=conditional_edits.ternary,
    ),
)
