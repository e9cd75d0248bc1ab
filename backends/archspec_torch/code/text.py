"""Code as text, wrapped if it is too long."""

from __future__ import annotations

import re
from typing import Any

from archspec_torch.code.pieces import Argument, Call, Code, Hole, Piece, present

WIDTH = 100
"""Longest line of generated code."""

TABLE = "( )"
"""Brackets of a table: several items per line."""


def literal(value: Any) -> str:
    """A constant as a Python literal. Strings are escaped to ASCII."""
    value = present(value)
    if isinstance(value, str):
        written = ascii(str(value))
        return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written else written
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f'float("{value}")'
    if isinstance(value, tuple):
        inner = ", ".join(literal(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return _decimal(value) if isinstance(value, float) else repr(value)


def _decimal(value: float) -> str:
    """A floating-point number as people write it: `1e-6`, `-1e9`, `0.02`."""
    written = repr(value)
    if written.endswith("000000.0"):
        digits = written.removesuffix(".0")
        kept = digits.rstrip("0")
        written = f"{kept}e{len(digits) - len(kept)}" if len(kept.lstrip("-")) == 1 else written
    return re.sub(r"e([+-])0*", lambda found: "e-" if found[1] == "-" else "e", written)


def flat(source: Code) -> str:
    """On one line."""
    parts: list[str] = []
    for piece in source:
        if isinstance(piece, str):
            parts.append(piece)
        elif isinstance(piece, Hole):
            parts.append(literal(piece.value))
        else:
            inner = f"{piece.comma} ".join(_flat_argument(item) for item in _shown(piece))
            parts.append(f"{piece.function}{piece.brackets[0]}{inner}{piece.brackets[-1]}")
    return "".join(parts)


def lines(source: Code, indent: int, behind: str = "") -> list[str]:
    """With line breaks inside its longest call if one line would be too long.

    `behind` is text that follows on the last line.
    """
    pad = " " * indent
    whole = flat(source)
    if indent + len(whole) + len(behind) <= WIDTH:
        return [pad + whole]
    source = tuple(_table(piece) for piece in source)
    if not any(isinstance(piece, Call) for piece in source):
        return [pad + whole]
    chain = _chain(source)
    if chain:
        links = [line for link in chain[1:] for line in lines(link, indent + 4)]
        return [f"{pad}{flat(chain[0])}(", *links, f"{pad})"]
    at = _longest_call(source)
    broken = source[at]
    assert isinstance(broken, Call)
    opened, broken, closed = _opened(broken, WIDTH - indent - len(flat(source[:at])))
    result = [f"{pad}{flat(source[:at])}{opened}", *_arguments(broken, indent + 4)]
    return [*result, f"{pad}{closed}{flat(source[at + 1 :])}"]


def _opened(made: Call, width: int) -> tuple[str, Call, str]:
    """The text before the arguments of a call that is wrapped, the call, and the text after them.

    A display that is the only argument begins on the line of the call: `nn.ModuleList([`, and so
    does the value of a pair: `("conv", Unit(`.
    """
    opened, closed = f"{made.function}{made.brackets[0]}", made.brackets[-1]
    if not (shown := _shown(made)):
        return opened, made, closed
    *others, last = shown
    before = "".join(f"{_flat_argument(item)}, " for item in others)
    is_pair = not made.function and made.brackets == "()" and before.startswith(('"', 'f"'))
    is_pair = is_pair and len(others) == 1
    if (others and not is_pair) or len(last.code) != 1 or last.keyword:
        return opened, made, closed
    (inner,) = last.code
    if not isinstance(inner, Call) or not (is_pair or _is_display(inner)):
        return opened, made, closed
    within, inner, end = _opened(inner, width)
    text = f"{opened}{before}{within}"
    return (text, inner, f"{end}{closed}") if len(text) <= width else (opened, made, closed)


def _is_display(made: Call) -> bool:
    """Whether a call is a display, or has one as its only argument."""
    if made.brackets in ("[]", "{}"):
        return True
    shown = _shown(made)
    pieces = shown[0].code if len(shown) == 1 and not shown[0].keyword else ()
    return len(pieces) == 1 and isinstance(pieces[0], Call) and _is_display(pieces[0])


def _chain(source: Code) -> list[Code]:
    """The code before a chain of method calls, and these calls, each on the result of the last.

    They are written one per line, in parentheses; empty if the code is not such a chain.
    """
    start = next(at for at, piece in enumerate(source) if isinstance(piece, Call))
    links = source[start + 1 :]
    head, sign, base = _flat_text(source[:start]).rpartition("= ")
    if not sign:
        head, sign, base = _flat_text(source[:start]).rpartition("return ")
    if not sign or not links or not all(map(_is_link, links)):
        return []
    return [(head + sign,), (base, source[start]), *((link,) for link in links)]


def _flat_text(source: Code) -> str:
    return flat(source) if all(isinstance(piece, str) for piece in source) else ""


def _is_link(piece: Piece) -> bool:
    text = piece.function if isinstance(piece, Call) else piece if isinstance(piece, str) else ""
    return text.startswith(".")


def _arguments(item: Call, indent: int) -> list[str]:
    """All on one line if they fit, otherwise one argument per line.

    Layers are one per line in any case; in a long table, or a list of names, as many as fit.
    """
    written: list[str] = []
    shown = _shown(item)
    together = f"{' ' * indent}{f'{item.comma} '.join(map(_flat_argument, shown))}"
    if item.brackets == "()" and len(together) <= WIDTH and not all(map(_is_layer, shown)):
        return [together]
    names = item.brackets == "[]" and all(_flat_argument(one).isidentifier() for one in shown)
    for argument in shown:
        inner = lines(_prefixed(argument), indent, item.comma)
        inner[-1] += item.comma
        joined = f"{written[-1]} {inner[0].lstrip()}" if written else ""
        if (item.brackets == TABLE or names) and written and len(joined) <= WIDTH:
            written[-1] = joined
        else:
            written += inner
    return written


def _is_layer(argument: Argument) -> bool:
    """Whether it is a call, as each layer of an `nn.Sequential` is."""
    (first, *_) = argument.code or ("",)
    return not argument.keyword and isinstance(first, Call) and first.brackets == "()"


def _table(piece: Piece) -> Piece:
    """A long tuple of constants as a display that can be wrapped."""
    if isinstance(piece, Hole) and isinstance(piece.value, tuple) and len(piece.value) > 2:
        items = tuple(Argument((Hole(value),)) for value in piece.value)
        return Call("", items, TABLE)
    return piece


def _longest_call(source: Code) -> int:
    lengths = {
        at: len(flat((piece,))) for at, piece in enumerate(source) if isinstance(piece, Call)
    }
    return max(lengths, key=lambda at: lengths[at])


def _shown(item: Call) -> list[Argument]:
    return [argument for argument in item.arguments if not argument.omitted]


def _flat_argument(argument: Argument) -> str:
    return flat(_prefixed(argument))


def _prefixed(argument: Argument) -> Code:
    return (f"{argument.keyword}=", *argument.code) if argument.keyword else argument.code
