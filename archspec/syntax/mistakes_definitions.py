"""Mistakes in the heads of definitions and their parameters."""

from __future__ import annotations

from archspec.diagnostics.model import Edit
from archspec.diagnostics.suggest import closest
from archspec.syntax import mistake_edits as edits
from archspec.syntax.keywords import DEFINITION_WORDS, FOREIGN_DEFINITIONS
from archspec.syntax.keywords import PARAMETER_TYPES as TYPES
from archspec.syntax.mistake import BEFORE, DROP, Mistake, insert, replace
from archspec.syntax.site import Site

_BRACES = "a body is written in braces: `{ .. }`"


_OF_PYTHON = frozenset({"if", "for", "while", "with", "print", "assert", "try", "return"})
"""Words that begin statements of a body here, or only in Python."""


def _top(s: Site) -> bool:
    """Whether this is the beginning of a definition."""
    return s.starts_statement and s.token.depth == 0


def _meant_definition(s: Site) -> str:
    close = closest(s.word(), DEFINITION_WORDS, cutoff=0.7)
    return close if close and s.after in ("NAME", "(", "{") else ""


_DATA = frozenset({"x", "y", "input", "inputs", "data", "image", "images", "img", "h", "tensor"})
"""Names that functions usually give to their data."""


def _as_definition(s: Site) -> str:
    """How a function or class of Python is defined: with its data as inputs, not as parameters."""
    name = s.word(1) if s.word(1) not in DEFINITION_WORDS else "unit"
    names = []
    for at in range(3, 40) if s.near(2).type == "(" and s.word() not in ("class", "struct") else ():
        if s.near(at).type in (")", "NL", "$END", ""):
            break
        if s.near(at).type == "NAME" and s.near(at - 1).type in ("(", ","):
            names.append(s.word(at))
    data = [one for one in names if one in _DATA]
    rest = ", ".join(one for one in names if one not in (*data, "self"))
    head = f"{name}({rest})" if rest else name
    inputs = f"input {', '.join(data)} .. " if data else ".. "
    return (
        f"a named layer is `block {head} {{ {inputs}}}`, a complete network `network {head} "
        f"{{ .. }}`" + ("; data are inputs, not parameters" if data and rest else "")
    )


def _head_end(s: Site) -> bool:
    """Whether this is the end of the head of a block or network."""
    return s.head() in ("block", "network", "inline") and s.expects("{") and not s.bracket


def _is_imported(s: Site) -> bool:
    """Whether this is in a `use`, or in its braces."""
    opener = s.opener()
    near = [s.near(opener - back).type for back in range(1, 8)] if s.bracket == "{" else []
    return s.head() == "use" or ("use" in near and "NL" not in near[: near.index("use")])


DEFINITIONS = (
    Mistake(
        "E0110",
        lambda s: (
            s.type == "-"
            and s.before == "NAME"
            and s.near(-2).type in ("block", "network", "rule", "preset")
            and s.after in ("NAME", "NUMBER")
        ),
        "a name consists of letters, digits and `_`",
        "network my«-»net { relu }",
        fix="write `_` in place of `-`",
        edits=lambda s: (Edit(s.span(), "_"),),
    ),
    Mistake(
        "E0131",
        lambda s: s.type == "when" and s.head() == "rule" and s.before == ")" and s.expects("if"),
        "the guard of a clause is written with `if`",
        "rule f(n) «when» n > 1 => relu\nrule f(n) => tanh",
        repair=replace("if"),
    ),
    Mistake(
        "E0118",
        lambda s: _top(s) and s.word() in ("import", "from", "include", "require"),
        "there is no `<word>`: other files are imported with `use`",
        "«import» torch\nblock a { relu }",
        fix="ops such as `conv` are always available; blocks are imported with "
        "`use std.cnn { conv_bn_relu }`",
        edits=edits.import_,
    ),
    Mistake(
        "E0118",
        lambda s: (
            _top(s)
            and s.word() in FOREIGN_DEFINITIONS
            and s.word(1) in DEFINITION_WORDS
            and s.near(2).type == "NAME"
        ),
        "there is no `<word>`: `<meant>` starts the definition",
        "«def» block f(n: int) { relu }",
        fix="remove `<word>`",
        meant=lambda s: s.word(1),
        repair=DROP,
    ),
    Mistake(
        "E0118",
        lambda s: _top(s) and s.after == "NAME" and s.word() in FOREIGN_DEFINITIONS,
        "there is no `<word>`: a definition starts with `block`, `network`, `rule` or `preset`",
        "«def» f(x):\n    return x\nblock a { relu }",
        fix="<meant>",
        meant=_as_definition,
    ),
    Mistake(
        "E0119",
        lambda s: _top(s) and s.word() in DEFINITION_WORDS,
        "a name is missing after `<word>`",
        "«block» { relu }",
        fix="write `<word> <meant>`, or any other name",
        meant=lambda s: "net" if s.word() == "network" else "unit",
        edits=edits.name_behind,
    ),
    Mistake(
        "E0119",
        lambda s: _top(s) and bool(_meant_definition(s)),
        "`<word>` does not start a definition",
        "«blokc» a { relu }\nblock b { relu }",
        fix="did you mean `<meant>`?",
        meant=_meant_definition,
        edits=lambda s: (Edit(s.span(), _meant_definition(s)),),
    ),
    Mistake(
        "E0119",
        lambda s: _top(s) and s.type == "NAME" and s.after == "=" and s.near(2).type == "{",
        "there are no dictionaries, and names cannot be bound outside of a body",
        '«config» = {"width": 64}\nblock a { relu }',
        fix="make each entry a parameter of the network, `network net(width: int = 64)`, or a "
        "rule, `rule width() => 64`",
    ),
    Mistake(
        "E0119",
        lambda s: _top(s) and s.type == "NAME" and s.after == "=",
        "names cannot be bound outside of a body",
        "«width» = 64\nblock a { relu }",
        fix="a constant is a rule, `rule <word>() => 64`; a model is `network <word> { .. }`",
    ),
    Mistake(
        "E0119",
        lambda s: _top(s) and s.word() in _OF_PYTHON,
        "a file contains only definitions; `<word>` belongs to a body",
        "block a { relu }\n«if» a == 1:\n  print(a)",
        fix="write it in a block or network; Python code that uses the network is a file of its "
        "own, with `archspec.load`",
    ),
    Mistake(
        "E0119",
        _top,
        "a definition starts with `block`, `network`, `rule`, `preset` or `use`",
        "«conv»(3) -> relu\nblock a { relu }",
    ),
    Mistake(
        "E0128",
        lambda s: s.head() == "language",
        "the language version is an integer: `language 1`",
        "language «one»\nblock a { relu }",
    ),
    Mistake(
        "E0128",
        lambda s: s.type == "*" and s.before == "{" and s.after == "}",
        "`use path` without braces imports all names",
        "use std.cnn { «*» }\nblock a { relu }",
    ),
    Mistake(
        "E0128",
        lambda s: s.head() == "use" and s.type == "*" and s.before == ".",
        "`use path` brings in all names",
        "use std.cnn.«*»\nblock a { relu }",
        fix="remove `.*`",
        edits=edits.all_names,
    ),
    Mistake(
        "E0128",
        lambda s: s.word() == "as" and s.before == "NAME" and _is_imported(s),
        "imported names and modules are not renamed",
        "use std.cnn { conv_bn_relu «as» unit }\nblock a { relu }",
        fix="remove the `as`, and use the names as they are",
        edits=edits.all_names,
    ),
    Mistake(
        "E0128",
        lambda s: s.head() == "use",
        "write `use path { name, name }` or `use path`",
        "use std.cnn «(»conv_bn_relu)\nblock a { relu }",
        fix="a module is written without quotes, suffix or alias: `use blocks { unit }`",
        edits=edits.used_file,
    ),
    Mistake(
        "E0128",
        lambda s: s.head() == "preset" and s.type == "{" and s.after_operand,
        "the arguments of a preset are in parentheses: `preset name = network(width=64)`",
        "network n(w: int) {\n  input x: f32[B = 1, 8]\n  output x -> linear(w)\n}\n"
        "preset a = n «{» w = 3 }",
        fix="write them in parentheses",
        edits=edits.arguments_of_preset,
    ),
    Mistake(
        "E0128",
        lambda s: s.head() == "preset" and s.type in (":", "=>", "->") and s.expects("="),
        "a preset is written `preset name = network(..)`",
        "preset a «:» resnet(3)",
        repair=replace("="),
    ),
    Mistake(
        "E0128",
        lambda s: s.head() == "preset" and s.expects("="),
        "a preset is written `preset name = network(..)`",
        "preset a«(»3)\nblock b { relu }",
    ),
    Mistake(
        "E0117",
        lambda s: s.type in ("->", "=", ":") and s.expects("=>"),
        "a rule has `=>` between its head and its right side",
        "rule f(n) «->» conv(n)",
        fix="write `=>`",
        repair=replace("=>"),
    ),
    Mistake(
        "E0117",
        lambda s: s.type in ("NAME", "[", "{", "(", "STRING") and s.expects("=>"),
        "`=>` is missing between the head of the rule and its right side",
        "rule f(n) «{» conv(n) }",
        repair=insert("=>"),
    ),
    Mistake(
        "E0116",
        lambda s: s.head() in ("rule", "inline") and s.ends and s.expects("=>"),
        "this rule has no right side",
        "rule f(n«)»\nrule g(n) => n",
        fix="write `=>` and the right side",
        points=BEFORE,
    ),
    Mistake(
        "E0129",
        lambda s: s.type == "=>" and s.head() in ("rule", "inline") and not s.bracket,
        "a clause cannot have a signature in its head",
        "rule f(n): [B, n] -> [B, n] «=>» relu",
        fix="write the signature as a separate definition: `rule f(n: int): [B, n] -> [B, n]`",
    ),
    Mistake(
        "E0117",
        lambda s: _head_end(s) and s.type == "->",
        "the head of a block does not declare its result",
        "block f(n: int) «->» [B, n] { relu }",
        fix="the body determines it; only rules may have signatures",
        edits=edits.result_out,
    ),
    Mistake(
        "E0117",
        lambda s: _head_end(s) and s.type in (":", "=", "=>"),
        _BRACES,
        "block f(n: int)«:»\n  relu\nblock g { relu }",
        fix="put the body in braces",
        repair=DROP,
        edits=edits.braces,
    ),
    Mistake(
        "E0116",
        lambda s: _head_end(s) and s.ends,
        "this definition has no body",
        "block f(n: int«)»\nblock g { relu }",
        fix="write it in braces: `{ .. }`",
        points=BEFORE,
    ),
)

PARAMETERS = (
    Mistake(
        "E0116",
        lambda s: s.in_parameters and s.type == "=" and s.before == ":",
        "a type is missing between `:` and `=`: `n: int = 3`",
        "block f(n: «=» 3) { relu }",
        repair=insert("ERROR"),
    ),
    Mistake(
        "E0116",
        lambda s: s.in_parameters and s.type == ":" and s.before in ("(", ","),
        "the name of a parameter is missing before this `:`",
        "block f(n: int, «:» int) { relu }",
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.in_parameters
            and s.type == "NAME"
            and s.after_operand
            and (s.after == ":" or (s.after == "=" and "=" in (s.near(-2).type, s.near(-4).type)))
            and s.word() not in TYPES
            and s.expects(",")
        ),
        "`,` is missing before the parameter `<word>`",
        "block f(n: int = 1 «m»: int) { relu }",
        repair=insert(","),
    ),
    Mistake(
        "E0117",
        lambda s: s.in_parameters and s.before == "NAME" and s.type == "NAME" and s.expects(":"),
        "`:` is missing between the parameter and its type",
        "block f(n «int») { relu }",
        repair=insert(":"),
    ),
    Mistake(
        "E0117",
        lambda s: s.in_parameters and s.type in ("NUMBER", "STRING", "NAME") and s.expects("="),
        "`=` is missing before the default",
        "block f(n: int «3») { relu }",
        repair=insert("="),
    ),
    Mistake(
        "E0130",
        lambda s: s.in_parameters and s.type == "[",
        "data cannot be a parameter",
        "block f(x: «[»B, C]) { relu }",
        fix="write `input x: [B, C]` in the body",
    ),
    Mistake(
        "E0130",
        lambda s: s.in_parameters and s.type in ("*", "/") and s.after == ",",
        "each parameter can be given by name: `<word>` is not needed",
        "block f(«*», n: int) { relu }",
        fix="remove it",
        repair=DROP,
        edits=edits.item_out,
    ),
    Mistake(
        "E0130",
        lambda s: s.in_parameters and s.type in ("*", "**", "...", "/"),
        "there are no variadic parameters: a parameter is a plain name",
        "block f(«*»args) { relu }",
        fix="take a list: `layers: list[layer]`",
    ),
)
