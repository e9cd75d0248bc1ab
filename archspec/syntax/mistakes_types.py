"""Mistakes in the types of parameters."""

from __future__ import annotations

from archspec.syntax import mistake_edits as edits
from archspec.syntax.keywords import PARAMETER_TYPES as TYPES
from archspec.syntax.keywords import TYPE_WORDS
from archspec.syntax.mistake import Mistake

PARAMETER_TYPES = (
    Mistake(
        "E0117",
        lambda s: (
            s.in_parameters
            and s.type in ("NUMBER", "STRING", "NAME")
            and s.near(-2).type == "="
            and s.near(-3).type == "NAME"
            and s.word(-1) in TYPES
        ),
        "the type follows the name: `<meant>: <before> = <word>`",
        "block f(n = int «3») { relu }",
        fix="write `<edit>`",
        meant=lambda s: s.word(-3),
        edits=edits.type_before_default,
    ),
    Mistake(
        "E0130",
        lambda s: s.in_parameters and s.type == "." and s.near(-2).type == ":",
        "a type is one word: a layer has the type `layer`",
        "block f(n: nn«.»Module) { relu }",
        fix="write `layer`",
        edits=edits.type_of_layer,
    ),
    Mistake(
        "E0130",
        lambda s: (
            s.in_parameters
            and s.type == "<"
            and s.word(-1) in ("list", "List", "vector", "Array")
            and s.near(-2).type == ":"
        ),
        "the type of the items is in brackets: `list[<meant>]`",
        "block f(n: list«<»int>) { relu }",
        fix="write `list[<meant>]`",
        meant=lambda s: s.word(1),
        edits=edits.items_in_brackets,
    ),
    Mistake(
        "E0130",
        lambda s: (
            s.type == ","
            and s.bracket == "["
            and s.near(s.opener() - 1).type == "NAME"
            and s.near(s.opener() - 2).type == "["
            and s.near(s.opener() - 4).type == ":"
            and s.word(s.opener() - 3) in ("list", "List")
        ),
        "the items of a `list` of tuples have no types",
        "block f(n: list[tuple[int«,» int]]) { relu }",
        fix="write `list`",
        edits=edits.plain_list,
    ),
    Mistake(
        "E0130",
        lambda s: (
            s.type in ("=", ",")
            and s.bracket == "["
            and s.word(s.opener() - 1) in TYPE_WORDS
            and s.near(s.opener() - 2).type == ":"
            and s.near(s.opener() - 4).type in ("(", ",")
            and s.head() in ("block", "network")
            and s.token.depth > 1
        ),
        "data cannot be a parameter",
        "network f(x: f32[B «=» 1, 8]) { relu }",
        fix="declare it in the body: `input x: f32[B = 1, 3, H = 32, W = 32]`",
    ),
    Mistake(
        "E0130",
        lambda s: (
            s.type == "NUMBER"
            and s.before == "["
            and s.word(-2) in TYPE_WORDS
            and s.near(-3).type == ":"
            and s.near(-5).type in ("(", ",")
            and s.head() in ("block", "network")
            and s.token.depth > 1
        ),
        "data cannot be a parameter",
        "network f(x: f32[«1», 8]) { relu }",
        fix="declare it in the body: `input x: f32[B = 1, 3, H = 32, W = 32]`",
    ),
    Mistake(
        "E0117",
        lambda s: s.type == "NAME" and s.near(-2).type in ("block", "network") and not s.bracket,
        "parameters are written in parentheses after the name",
        "block f «n» { relu }",
        fix="write `<before>(<word>)`",
        edits=edits.in_parentheses,
    ),
    Mistake(
        "E0117",
        lambda s: (
            s.in_parameters and s.type == "NAME" and s.before == "NAME" and s.word(-1) in TYPES
        ),
        "the type follows the name: `<word>: <before>`",
        "block f(int «n») { relu }",
        fix="write `<word>: <before>`",
        edits=edits.type_behind,
    ),
    Mistake(
        "E0130",
        lambda s: (
            s.type == ","
            and s.bracket == "["
            and s.near(s.opener() - 1).type == "NAME"
            and s.near(s.opener() - 2).type == ":"
        ),
        "a type has one argument: `list[int]`",
        "block f(n: tuple[int«,» int]) { relu }",
        fix="types are int, float, bool, str, layer, dim, init, value and list[..]",
    ),
)
