"""Shell completion of specs, and of arguments of networks, passes and commands.

Each function takes the incomplete word and returns complete words with help texts. On an error it
returns nothing: completion shows no diagnostics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import typer

from archspec import shipped

if TYPE_CHECKING:
    from archspec.graph.compiled import Compiled, NetworkParameter

Offers: TypeAlias = list[tuple[str, str]]

_QUOTED = re.compile(r'"(\w+)"')
_WORD_LIST = re.compile(r'\[("\w+"(, )?)+\]')
_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"-?\d[\d.e+-]*")


def specs(incomplete: str) -> Offers:
    """Shipped networks, `.arch` files and folders, and after `file.arch:` its definitions."""
    file, name = shipped.split(incomplete)
    path = Path(file)
    if path.suffix == shipped.SUFFIX and (name is not None or incomplete.endswith(":")):
        return [(f"{file}:{found}", kind) for kind, found in _heads(path)]
    return [*_shipped(incomplete), *_paths(incomplete)]


def words(incomplete: str) -> Offers:
    """Shipped networks, files and folders."""
    return [*_shipped(incomplete), *_paths(incomplete)]


def paths(incomplete: str) -> Offers:
    """`.arch` files and folders."""
    return list(_paths(incomplete))


def settings(context: typer.Context, incomplete: str) -> Offers:
    """`classes=1000` for each parameter of the network named earlier on the command line."""
    network = _network(context)
    if network is None:
        return []
    return [
        (f"{one.name}={value}", f"{one.type or 'parameter'}{_domain(one)}")
        for one in network.parameters
        for value in _values(one)
    ]


def sizes(context: typer.Context, incomplete: str) -> Offers:
    """`H=224` for each free dimension of the network named earlier on the command line."""
    network = _network(context)
    if network is None:
        return []
    return [(f"{name}={size}", "free dimension") for name, size in network.sizes.items()]


def passes(incomplete: str) -> Offers:
    """The names of passes."""
    from archspec.passes.registry import available

    return [(name, "pass") for name in available()]


def targets(incomplete: str) -> Offers:
    """The names of targets."""
    from archspec.targets.registry import available

    return [(name, "target") for name in available()]


def analyses(incomplete: str) -> Offers:
    """The names of analyses."""
    from archspec.analysis.registry import available

    return [(name, "analysis") for name in available()]


def explained(incomplete: str) -> Offers:
    """The codes of diagnostics with their titles, the ops, and the blocks of the library."""
    from archspec.cli.library import library
    from archspec.diagnostics import catalogue
    from archspec.ops.registry import all_ops

    codes = [(page.code, page.title) for page in catalogue.pages().values()]
    blocks = ((entry.name, entry.module.name) for entry in library().values())
    return [*codes, *((name, "op") for name in all_ops()), *blocks]


def _shipped(incomplete: str) -> Iterator[tuple[str, str]]:
    for name, path in shipped.networks().items():
        if name.startswith(incomplete):
            yield name, path.name


def _paths(incomplete: str) -> Iterator[tuple[str, str]]:
    folder, _, begun = incomplete.rpartition("/")
    place = Path(f"{folder}/" if "/" in incomplete else ".")
    with suppress(OSError):
        for path in sorted(place.iterdir()):
            if path.name.startswith(begun) and (begun or not path.name.startswith(".")):
                written = incomplete.removesuffix(begun) + path.name
                if path.is_dir():
                    yield f"{written}/", "folder"
                elif path.suffix == shipped.SUFFIX:
                    yield written, "file"


def _heads(path: Path) -> Iterable[tuple[str, str]]:
    try:
        return shipped.heads(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ()


def _network(context: typer.Context) -> Compiled | None:
    """The network named earlier on the command line, with default settings; None on an error."""
    from archspec.cli.guard import WrongUsage
    from archspec.cli.networks import load_spec
    from archspec.cli.passes import Passes
    from archspec.diagnostics.failure import CompileFailed

    # an option without its value yet stops the parser before it assigns arguments to names
    text = context.params.get("spec") or next(iter(context.args), None)
    if not isinstance(text, str):
        return None
    try:
        return load_spec(text, {}, Passes()).compiled
    except (CompileFailed, WrongUsage, OSError):
        return None


def _values(parameter: NetworkParameter) -> tuple[str, ...]:
    """The values to offer: all of a domain that lists words, else the default if it is a word.

    Expressions, and values that a shell would split, are left to the user.
    """
    if parameter.type == "bool":
        return ("true", "false")
    listed = _WORD_LIST.fullmatch(parameter.domain or "")
    if listed is not None:
        return tuple(_QUOTED.findall(listed[0]))
    forms = {"str": _QUOTED, "layer": _NAME}
    word = forms.get(parameter.type or "", _NUMBER).fullmatch(parameter.default or "")
    return (word[word.lastindex or 0],) if word else ("",)


def _domain(parameter: NetworkParameter) -> str:
    return f" in {parameter.domain}" if parameter.domain else ""
