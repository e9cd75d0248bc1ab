"""The statements of `__init__`: modules and tensors, from the tree of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archspec.graph.codegen.identifiers import is_numbered
from archspec.graph.model import Graph, Instance
from archspec.graph.units import Owned, Unit
from archspec.ops.base import Parameter
from archspec.types.initialiser import Zeros
from archspec_torch.code.comprehensions import Known, compress, compress_named
from archspec_torch.code.dtypes import TORCH_TYPES
from archspec_torch.code.lines import Line
from archspec_torch.code.names import MAPPING_NAMES, is_identifier
from archspec_torch.code.pieces import Argument, Call, Code, Hole, call, code, listing
from archspec_torch.code.text import literal
from archspec_torch.init.initialisation import written_numbers
from archspec_torch.init.initialisers import init_call
from archspec_torch.lowering.base import site
from archspec_torch.planning.known_numbers import counts, known_numbers
from archspec_torch.planning.layout import Layout
from archspec_torch.planning.origins import Origins, same_names
from archspec_torch.planning.tree import Branch, Kind

MOST_NESTED = 8
"""Maximum nesting of containers in one expression.

Deeper ones are assigned first, because Python reads about 200 open brackets and a container may
open four.
"""

Construct = Callable[[Unit], Code]
"""Code that creates an instance of a unit's class, or calls its function."""


def names_for_loops(graph: Graph) -> Known:
    """The names over which the items of a loop in `__init__` are expressions."""
    return Known(known_numbers(graph), lambda: counts(graph))


class Held:
    """Local variables of `__init__` for modules; `lines` assign those of the next statement."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.lines: list[Line] = []

    def hold(self, value: Code, at: int) -> Code:
        """A variable for a module, which is assigned in line `at`."""
        name = f"part_{len(self.names) + 1}"
        self.names.append(name)
        self.lines.insert(at, Line(code(f"{name} = ", value)))
        return code(name)

    def taken(self) -> list[Line]:
        """The lines, which are then written."""
        found, self.lines = self.lines, []
        return found


class Constructor:
    """Writes `__init__` of one unit."""

    def __init__(self, layout: Layout, construct: Construct) -> None:
        self.layout, self.unit, self.construct = layout, layout.unit, construct
        self.known = names_for_loops(layout.unit.either)
        self.helpers: set[str] = set()
        self.held = Held()
        self.resets: list[Line] = []  # initial values of its own weights and buffers
        self.restores: list[Line] = []  # values of buffers that are not in the state dict
        self.added: list[str] = []  # paths of layers that it puts into modules of other units

    def write(self) -> list[Line]:
        """All statements, in the order of the tree; layers in modules of other units are last."""
        children = self.layout.tree.children.values()
        made = [line for child in children for line in self._top(child)]
        made += [line for child in children for line in self._put_into(child)]
        if self.added:
            made.append(Line(code("self.added_layers = ", listing([*map(literal, self.added)]))))
        if self.unit.either.frozen:
            return made  # the caller freezes all of it
        return [*made, *(line for child in children for line in _fixed(child))]

    def _top(self, branch: Branch) -> Iterator[Line]:
        if branch.kind is Kind.PARAMETER:
            yield from self._parameter("self", branch)
            return
        yield from self._added("self", branch)
        yield from self._later(branch)

    def _added(self, owner: str, branch: Branch) -> Iterator[Line]:
        """The module of a branch as an attribute of its owner."""
        source = self._value(branch)
        yield from self.held.taken()
        if is_identifier(branch.name):
            yield Line(code(f"{owner}.{branch.name} = ", source))
        else:
            yield Line(call(f"{owner}.add_module", literal(branch.name), source))

    def _later(self, branch: Branch) -> Iterator[Line]:
        """Parameters in containers."""
        if branch.kind is Kind.MODULE and not self.unit.either.frozen and _is_frozen_alone(branch):
            yield Line(code(f"{branch.access}.requires_grad_(False)"))
        for child in branch.children.values():
            if child.kind is Kind.PARAMETER:
                yield from self._parameter(branch.access, child)
                continue
            if not _is_put_into(branch, child):
                yield from self._later(child)

    def _put_into(self, branch: Branch) -> Iterator[Line]:
        """What is put into modules of other units, which exist by then."""
        for child in branch.children.values():
            if _is_put_into(branch, child):
                self.added.append(child.path)
                yield from self._added(branch.access, child)
                yield from self._later(child)
            yield from self._put_into(child)

    # ------------------------------------------------------------------ values

    def _value(self, branch: Branch) -> Code:
        """The expression of a module; deeply nested containers are held."""
        return self._nested(branch)[0]

    def _nested(self, branch: Branch) -> tuple[Code, int]:
        """The expression of a module, and the nesting of containers in it."""
        if branch.kind is Kind.MODULE:
            assert branch.owned is not None
            return self._module(branch.owned), 0
        children = [child for child in branch.children.values() if child.kind is not Kind.PARAMETER]
        values: list[Code] = []
        most = 0
        for child in children:
            first = len(self.held.lines)
            value, height = self._nested(child)
            if height == MOST_NESTED:
                value, height = self.held.hold(value, len(self.held.lines)), 0
            if len(self.held.lines) > first:  # those before it are constructed first, too
                values = [self.held.hold(one, first + at) for at, one in enumerate(values)]
            values.append(value)
            most = max(most, height)
        return self._container(children, values, branch.kind), most + 1

    def _container(self, children: list[Branch], values: list[Code], kind: Kind) -> Code:
        names = [child.name for child in children]
        if kind is Kind.SEQUENTIAL:
            return _sequential(names, values, self.known)
        if kind is Kind.LIST:
            modules = [child.access for child in children]
            return call("nn.ModuleList", _display(compress(values, modules, self.known)))
        return self._mapping(names, values, kind)

    def _mapping(self, names: list[str], values: list[Code], kind: Kind) -> Code:
        function = "nn.ModuleDict"
        if kind is Kind.SCOPE:
            function = "Scope"
            self.helpers.add("Scope")
        items = tuple(
            Argument(code(f"{literal(name)}: ", value))
            for name, value in zip(names, values, strict=True)
        )
        return call(function, Call("", items, "{}")) if items else call(function)

    def _module(self, owned: Owned) -> Code:
        instance = owned.either
        if instance.op is None:
            return Origins(*owned.places[0]).of(self.construct(self.unit.callee(instance)))
        lowered = self.layout.at(*owned.places[0])
        self.helpers.update(lowered.module_helpers)
        if lowered.module is not None:
            return lowered.module
        return self._regions(instance)

    def _regions(self, instance: Instance) -> Code:
        """A container of the modules of regions, or the module of a single region without a key."""
        regions = instance.regions
        if len(regions) == 1 and not regions[0].key:
            return same_names(self.construct(self.unit.callee(instance, regions[0])))
        names = [region.key for region in regions]
        values = [
            same_names(self.construct(self.unit.callee(instance, region))) for region in regions
        ]
        kind = Kind.SCOPE if MAPPING_NAMES & set(names) else Kind.MAPPING
        return self._mapping(names, values, kind)

    # ------------------------------------------------------------------ parameters

    def _parameter(self, owner: str, branch: Branch) -> Iterator[Line]:
        assert branch.owned is not None
        instance = branch.owned.either
        (parameter,) = site(*branch.owned.places[0]).parameters
        value = _empty(branch.owned, parameter)
        if parameter.learnable:
            fixed = instance.frozen and not self.unit.either.frozen
            more = [Argument(("False",), "requires_grad")] if fixed else []
            yield _assigned(owner, branch.name, call("nn.Parameter", value, *more))
        else:
            yield Line(_register_buffer(owner, branch.name, value, parameter.persistent))
        filled = self.resets if parameter.persistent else self.restores
        computed = [
            same_names(self.construct(self.unit.callee(instance, region)))
            for region in instance.regions
        ]
        filled += _initial(branch.access, parameter, instance, computed)


def _initial(
    access: str, parameter: Parameter, instance: Instance, computed: list[Code]
) -> Iterator[Line]:
    """Set a tensor to its initial value, which may be computed."""
    for value in computed:
        if parameter.learnable:
            yield Line(code("with torch.no_grad():"))
        yield Line(call(f"{access}.copy_", value), indent=4 if parameter.learnable else 0)
    if not computed:
        how = parameter.initialiser or Zeros()
        yield Line(init_call(how, access, written_numbers(instance, "init")))


def _fixed(branch: Branch) -> Iterator[Line]:
    """Freeze modules: in one line if everything below a name is frozen."""
    if all(leaf.kind is Kind.PARAMETER for leaf in branch.leaves()):
        return  # they are fixed where they are created
    found = [leaf.owned for leaf in branch.leaves() if leaf.owned is not None]
    if branch.kind is Kind.GIVEN or not all(owned.either.frozen for owned in found):
        for child in branch.children.values():
            yield from _fixed(child)
    elif any(map(_has_weights, found)):
        yield Line(code(f"{branch.access}.requires_grad_(False)"))


def _assigned(owner: str, name: str, value: Code) -> Line:
    if is_identifier(name):
        return Line(code(f"{owner}.{name} = ", value))
    return Line(call(f"{owner}.register_parameter", literal(name), value))


def _register_buffer(owner: str, name: str, value: Code, persistent: bool) -> Code:
    more = [] if persistent else [Argument(("False",), "persistent")]
    return call(f"{owner}.register_buffer", literal(name), value, *more)


def _sequential(names: list[str], values: list[Code], known: Known) -> Code:
    if is_numbered(names):
        filled: list[Code] = []
        for name, value in zip(names, values, strict=True):
            filled += [call("nn.Identity")] * (int(name) - len(filled))
            filled.append(value)
        return call("nn.Sequential", *compress(filled, known=known))
    (items,) = _display(compress_named(names, values, known))
    if isinstance(items, Call) and not items.comma:  # a comprehension needs no brackets of its own
        return call("nn.Sequential", (Call("OrderedDict", items.arguments, "()", ""),))
    return call("nn.Sequential", call("OrderedDict", items))


def _display(items: list[Code]) -> Code:
    """A list; one that is a comprehension as a whole is written as such."""
    if len(items) == 1 and isinstance(items[0][0], Call) and items[0][0].function == "*":
        only = items[0][0]
        return (Call("", only.arguments, only.brackets, only.comma),)
    return listing(items)


def _empty(owned: Owned, parameter: Parameter) -> Code:
    """A tensor without values."""
    sizes = [Argument((Hole(size, "size"),)) for size in parameter.shape] or [Argument(("()",))]
    dtype = TORCH_TYPES.get(parameter.dtype)
    more = [Argument((dtype,), "dtype")] if dtype else []
    return Origins(*owned.places[0]).of(call("torch.empty", *sizes, *more))


def _is_put_into(branch: Branch, child: Branch) -> bool:
    """Whether a child is a part that the module of a branch does not create itself."""
    inside = branch.kind in (Kind.MODULE, Kind.GIVEN)
    return inside and child.kind not in (Kind.GIVEN, Kind.PARAMETER)


def _is_frozen_alone(branch: Branch) -> bool:
    """Whether a module is frozen, but not everything that is put into it."""
    frozen = [one.owned.either.frozen for one in branch.leaves() if one.owned is not None]
    return frozen[0] and not all(frozen)


def _has_weights(owned: Owned) -> bool:
    if owned.either.op is None or owned.either.regions:
        return True
    return any(one.learnable for one in site(*owned.places[0]).parameters)
