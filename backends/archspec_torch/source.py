"""A network as one readable Python file that imports torch only."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import PurePath

from archspec.analysis.counting import count
from archspec.graph.codegen.identifiers import camel_case
from archspec.graph.codegen.loop_bodies import with_loop_bodies
from archspec.graph.compiled import Compiled
from archspec.graph.ties import ties_below
from archspec.graph.units import plan
from archspec.source import NOWHERE
from archspec.targets.weights import Weights
from archspec_torch.checks.faults import require_supported
from archspec_torch.checks.forms import require_one_form
from archspec_torch.classes.class_names import name_classes
from archspec_torch.classes.grouping import ClassDef, build_classes
from archspec_torch.classes.render import render_class
from archspec_torch.code.comments import safe_text
from archspec_torch.code.names import attribute, is_identifier
from archspec_torch.code.pieces import call, keyword
from archspec_torch.code.text import lines as written
from archspec_torch.code.text import literal
from archspec_torch.forward.signature import name_records, record_fields
from archspec_torch.inputs import Entrance, entrance
from archspec_torch.planning.layout import lay_out
from archspec_torch.prelude import helpers_source, with_needed

TYPING = ("Any", "Dict", "List", "NamedTuple", "Optional", "Tuple", "Union")


def first_weights(network: Compiled, seed: int, weights: Weights | None) -> tuple[str, ...]:
    """What a source tells its reader about the weights of the build that it came with."""
    if weights is not None:
        file = safe_text(f"{network.name}.weights.pt")
        return (
            f"The weights of the build stand in {file}, a state dict for `load_state_dict`.",
            f"They come from {safe_text(weights.origin)}.",
        )
    if not count(network).parameters:
        return ()
    return (f"After `torch.manual_seed({seed})` its initial weights are those of the build.",)


def python_source(network: Compiled, remarks: Sequence[str] = ()) -> tuple[str, str]:
    """The source of a network, and the name of its class.

    The same network gives the same text; `remarks` are lines for its docstring. Raises
    CompileFailed for what has no form in PyTorch.
    """
    require_supported(network)
    units = plan(with_loop_bodies(network))
    require_one_form(units)
    known = lay_out(units)
    root = known.root
    name_records(root, camel_case(network.inference.name))
    records = record_fields(root)
    classes = build_classes(known)
    used = set().union(*(draft.helpers for item in classes for draft in item.drafts))
    inlet = entrance(network, root, classes[-1].first.signature)
    used |= {"check_sizes"} if inlet.beginning else set()
    helpers = with_needed(used)
    name_classes(classes, helpers, tuple(records))
    names = {item.token: item.name for item in classes}
    start = (*_start(classes), *_ties(network))
    blocks = helpers_source(used)
    blocks += [_record(name, fields, root.records) for name, fields in records.items()]
    told: set[str] = set()
    for item in classes:
        is_root = item is classes[-1]
        doc = network.doc if is_root else item.first.unit.either.doc
        told_once = "" if doc in told else doc
        if is_root:
            told_once = "\n\n".join(filter(None, [told_once, inlet.doc]))
        own = inlet if is_root else Entrance()
        blocks.append(
            render_class(
                item, names, start if is_root else (), told_once, own.methods, own.beginning
            )
        )
        told.add(doc)
    body = "\n\n\n".join(blocks)
    return f"{_header(network, remarks)}\n{_imports(body)}\n\n\n{body}\n", classes[-1].name


def _start(classes: Sequence[ClassDef]) -> tuple[str, ...]:
    """What the network's `__init__` does last: it sets initial values, callers before callees."""
    owners = [item for item in classes if any(draft.firsts.lines for draft in item.drafts)]
    if not owners:
        return ()
    if owners == [classes[-1]]:
        return ("self.initialise()",)
    return (
        "for module in self.modules():",
        '    if hasattr(module, "initialise"):',
        "        module.initialise()",
    )


def _ties(network: Compiled) -> Iterator[str]:
    """Lines that make one tensor of those that are tied; it begins as its source does."""
    ties = {**ties_below(network.training), **ties_below(network.inference)}
    for name, source in ties.items():
        owner, _, last = name.rpartition(".")
        holder, value = _access(owner), _access(source)
        if is_identifier(last):
            yield f"{holder}.{last} = {value}"
        else:
            yield f"{holder}.register_parameter({literal(last)}, {value})"


def _access(path: str) -> str:
    return reduce(attribute, path.split(".") if path else (), "self")


def _header(network: Compiled, remarks: Sequence[str]) -> str:
    span = network.inference.origin.span
    file = PurePath(span.source.name).name if span is not NOWHERE else ""
    origin = f" from {safe_text(file)}" if file else ""
    lines = [
        f'"""Network `{safe_text(network.name)}`, generated by archspec{origin}.',
        "",
        "It needs PyTorch only. Comments show the shapes of tensors where they change.",
        *remarks,
    ]
    return "\n".join([*lines, '"""\n'])


def _imports(body: str) -> str:
    """Only what the body uses: `torch` for `torch.cat`, not in a string or as a name of a part."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    first = []
    if "math" in used:
        first.append("import math")
    if "OrderedDict" in used:
        first.append("from collections import OrderedDict")
    if typing := [name for name in TYPING if name in used]:
        first.append(f"from typing import {', '.join(typing)}")
    second = ["import torch"] if "torch" in used else []
    second += ["import torch.nn.functional as F"] if "F" in used else []
    second += ["from torch import Tensor, nn"]
    return "\n".join([*first, "", *second] if first else second)


def _record(name: str, fields: Sequence[tuple[str, str]], by_mode: tuple[str, str]) -> str:
    plain, training = by_mode
    mode = "" if plain == training else " in training" if name == training else " in inference"
    lines = [f"class {name}(NamedTuple):", f'    """What the network returns{mode}."""', ""]
    lines += [f"    {field}: {annotation}" for field, annotation in fields]
    named = keyword("serialized_type_name", f'f"{{__name__}}.{name}"')
    lines += ["", "", "# so that torch.export keeps the names of the outputs when it saves"]
    lines += written(call("torch.utils._pytree._register_namedtuple", name, named), 0)
    return "\n".join(lines)
