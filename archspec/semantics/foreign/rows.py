"""The tables of foreign calls as data: the role of each argument of a call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, TypeAlias

from archspec.frozen import frozen
from archspec.ops.registry import all_ops
from archspec.semantics.foreign import losses, tables

Kind: TypeAlias = Literal[
    "attribute", "left out", "data", "list of data", "activation", "initialiser", "label",
    "rest", "amounts", "whole", "padding", "constant", "shape", "sizes", "margins",
]  # fmt: skip

_SIGNS: Mapping[str, Kind] = {
    "@@": "list of data",
    "@": "data",
    "-": "left out",
    "+": "activation",
    "!": "initialiser",
    ":": "label",
    "*": "rest",
    "~": "amounts",
    "^": "padding",
    "%": "whole",
    "=": "constant",
    "#": "shape",
    "$": "sizes",
    "|": "margins",
}


@frozen
class Slot:
    """An argument of a foreign call: its name there, and its role here.

    `ours` is the attribute here, `default` the value written if it is not given.
    """

    theirs: str
    ours: str
    kind: Kind
    default: str = ""


@frozen
class Row:
    """A foreign call. `op` is "" without a counterpart; `module` has a block that is one."""

    op: str
    slots: tuple[Slot, ...]
    module: str = ""

    @property
    def takes_data(self) -> bool:
        """Whether its first argument is data."""
        return bool(self.slots) and self.slots[0].kind in ("data", "list of data")


@cache
def classes() -> Mapping[str, Row]:
    """Classes of layers by name; those of PyTorch precede those of Keras."""
    return {**_read(tables.KERAS), **_read(tables.MODULES), **_read(losses.MODULES)}


@cache
def others() -> Mapping[str, Row]:
    """Further rows, for arguments without a place in the tables above."""
    return _read(tables.OTHERS)


@cache
def keras() -> Mapping[str, Row]:
    """Layers of Keras and functions of TensorFlow by name."""
    return _read(tables.KERAS)


@cache
def functions() -> Mapping[str, Row]:
    """Functions of PyTorch by name."""
    return {**_read(tables.FUNCTIONS), **_read(losses.FUNCTIONS)}


@cache
def methods() -> Mapping[str, Row]:
    """Methods of tensors by name."""
    return _read(tables.METHODS)


@cache
def folded() -> Mapping[str, Row]:
    """Classes by name in lower case and without `_`."""
    return {plain(name): row for name, row in classes().items()}


@cache
def keywords(op: str) -> Mapping[str, Slot]:
    """Arguments of other libraries with another name here, for one op."""
    tables = (classes(), keras(), functions(), methods())
    rows = [row for table in tables for row in table.values() if row.op == op and not row.module]
    common = [Slot("inplace", "", "left out"), Slot("name", "", "label")]
    common += [Slot(name, "", "activation") for name in ("activation", "act", "act_fn")]
    found = {slot.theirs: slot for slot in common}
    data = ("data", "list of data", "label")
    fields = all_ops()[op].model_fields if op in all_ops() else {}
    for ours, names in _SHORT.items():
        if ours in fields:
            found |= {name: Slot(name, ours, "attribute") for name in names if name not in fields}
    for row in rows:
        found |= {slot.theirs: slot for slot in row.slots if slot.kind not in data}
    return found


_SHORT: Mapping[str, tuple[str, ...]] = {
    "kernel": ("k", "ks", "ksize", "kernelsize", "size", "window", "pool_size", "window_shape"),
    "stride": ("s", "strides", "subsample"),
    "padding": ("p", "pad"),
    "dilation": ("d", "rate", "dilation_rate"),
    "groups": ("g", "group", "n_groups"),
    "width": ("filters", "channels", "features", "units", "out", "out_ch", "out_dim", "dim"),
    "hidden": ("units", "hidden_dim", "hidden_units", "width", "dim"),
    "heads": ("num_heads", "n_heads", "n_head", "nheads", "h"),
    "layers": ("num_layers", "n_layers", "depth"),
    "p": ("rate", "prob", "drop_rate"),
    "axis": ("dim", "dims", "axes"),
    "keepdim": ("keepdims", "keep_dims"),
    "parts": ("chunks", "sections", "num_or_size_splits", "split_size_or_sections"),
    "scale": ("factor", "scale_factor"),
    "count": ("num_embeddings", "vocab", "vocab_size", "input_dim"),
    "eps": ("epsilon",),
}
"""Short and other names of attributes, for every op that has the attribute."""


def is_short(name: str, attribute: str) -> bool:
    """Whether a name is another one of an attribute, whichever op has it."""
    return name in _SHORT.get(attribute, ())


def of_op(op: str, order: tuple[str, ...]) -> Row:
    """The row of a method with the name of an op, with the arguments in the same order."""
    names = {slot.theirs: slot for slot in keywords(op).values()}
    own = tuple(Slot(name, name, "attribute") for name in order)
    return Row(op, (*own, *(slot for name, slot in names.items() if name not in order)))


def plain(name: str) -> str:
    """A name in lower case and without `_`."""
    return name.replace("_", "").lower()


def _read(text: str) -> Mapping[str, Row]:
    found: dict[str, Row] = {}
    for line in text.strip().replace("\n    ", " ").splitlines():
        names, _, right = line.partition(" =")
        op, _, slots = right.strip().partition(":")
        if right.strip().startswith("+"):
            op, slots = "", right.strip()
        module, _, op = op.rpartition(".")
        row = Row(op, tuple(_slot(item) for item in slots.split()), module)
        found.update(dict.fromkeys(names.split(), row))
    return found


def _slot(text: str) -> Slot:
    sign = next((sign for sign in _SIGNS if text.startswith(sign)), "")
    text, _, default = text.removeprefix(sign).partition("?")
    ours, _, theirs = text.partition("=")
    kind = _SIGNS.get(sign, "attribute")
    ours = {
        "kernel_initializer": "weight_init",
        "bias_initializer": "bias_init",
        "kernel_init": "weight_init",
    }.get(ours, ours)
    return Slot(theirs or text, ours, kind, default)
