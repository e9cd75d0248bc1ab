"""Names in generated code: identifiers from texts of a spec, and paths of modules."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container, Iterable

from archspec_torch.code import literal

TAKEN = frozenset(
    """
    self torch nn F Tensor Optional List Tuple NamedTuple OrderedDict math int float bool str
    len range list tuple dict sum min max abs any all enumerate zip print super type round
    getattr isinstance None True False i need Any Dict Union
    """.split()  # noqa: SIM905  (a table)
)
"""Names that a local variable or argument may not have."""

MODULE_NAMES = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile
    cpu cuda double dump_patches eval extra_repr float forward get_buffer get_extra_state
    get_parameter get_submodule half initialise ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook
    requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train
    training type xpu zero_grad
    _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl
    _forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks
    _forward_pre_hooks_with_kwargs _get_backward_hooks _get_backward_pre_hooks _get_name
    _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks
    _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook
    _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward
    _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl
    """.split()  # noqa: SIM905  (a table)
)
"""Names of `nn.Module` itself (and `initialise`): no child or parameter can have them."""

SEQUENTIAL_NAMES = frozenset(
    """
    append extend insert pop
    """.split()  # noqa: SIM905  (a table)
)
"""Further names that `nn.Sequential` keeps for itself."""

MAPPING_NAMES = frozenset(
    """
    clear items keys pop update values
    """.split()  # noqa: SIM905  (a table)
)
"""Further names that `nn.ModuleDict` keeps for itself."""


TUPLE_NAMES = frozenset({"count", "index", "Ellipsis", "NoneType"})
"""Names that a field of a named tuple cannot have, in Python or in TorchScript."""


def is_module_name(text: str) -> bool:
    """Whether `nn.Module` or Python keep it for themselves."""
    return text in MODULE_NAMES or (text.startswith("__") and text.endswith("__"))


def is_identifier(text: str) -> bool:
    """Whether it can stand after a dot in generated code (ASCII, no name mangling)."""
    return (
        text.isascii()
        and text.isidentifier()
        and not keyword.iskeyword(text)
        and not text.startswith("__")
    )


def identifier(text: str, fallback: str) -> str:
    """The nearest identifier in snake case as written; `fallback` when nothing is left."""
    found = re.sub(r"[^0-9A-Za-z_]+", "_", text).strip("_")
    if not found or found[0].isdigit():
        found = f"{fallback}_{found}" if found else fallback
    return f"{found}_" if keyword.iskeyword(found) else found


def field_name(text: str, taken: Container[str]) -> str:
    """The name of an output in a named tuple: the text itself, unless that cannot be one."""
    found = re.sub(r"[^0-9A-Za-z_]+", "_", text).lstrip("_")
    if not found or found[0].isdigit():
        found = f"output_{found}" if found else "output"
    if keyword.iskeyword(found) or found in TUPLE_NAMES:
        found += "_"
    number, name = 2, found
    while name in taken:
        name, number = f"{found}_{number}", number + 1
    return name


def class_name(text: str) -> str:
    """A definition's name in camel case: `conv_bn_relu` becomes `ConvBnRelu`."""
    parts = [part for part in re.split(r"[^0-9A-Za-z]+", text) if part]
    name = "".join(part[0].upper() + part[1:] for part in parts) or "Block"
    return f"Block{name}" if name[0].isdigit() else name


def attribute(owner: str, name: str) -> str:
    """`owner.name`, or the getattr form where `name` is no identifier."""
    if is_identifier(name):
        return f"{owner}.{name}"
    return f"getattr({owner}, {literal(name)})"


def is_numbered(names: Iterable[str]) -> bool:
    """Whether they are "0", "1", "2" … in this order, with gaps at most."""
    last = -1
    for name in names:
        if not (name.isascii() and name.isdigit()) or str(int(name)) != name or int(name) <= last:
            return False
        last = int(name)
    return True


class Names:
    """Unique names in one function or module."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*TAKEN, *taken}
        self._next: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """`wanted`, with a number where it is taken; it is taken from now on."""
        name, number = wanted, self._next.get(wanted, 2)
        while name in self._taken or keyword.iskeyword(name):
            name, number = f"{wanted}_{number}", number + 1
        self._next[wanted] = number
        self._taken.add(name)
        return name

    @property
    def taken(self) -> set[str]:
        """All names that somebody has."""
        return set(self._taken)

    def free(self, name: str) -> bool:
        """Whether nobody has it."""
        return name not in self._taken and not keyword.iskeyword(name)
