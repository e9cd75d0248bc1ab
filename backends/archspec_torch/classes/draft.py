"""The code of a unit, before units with the same structure become one class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import Names
from archspec.graph.model import Port
from archspec.graph.units import Unit
from archspec.types.dim import Dim
from archspec_torch.classes.uses import merged
from archspec_torch.code.lines import Line
from archspec_torch.code.names import python_names
from archspec_torch.code.pieces import Code, Hole, code, constructed, holes, skeleton
from archspec_torch.code.text import literal
from archspec_torch.forward.body import Body, write_body
from archspec_torch.forward.frame import like_name
from archspec_torch.forward.modes import both_modes
from archspec_torch.forward.signature import arguments_text, return_annotation
from archspec_torch.forward.whole_results import with_whole_results
from archspec_torch.init.construct import Constructor, names_for_loops
from archspec_torch.init.initialisation import InitialValues, default_lines, write_initial_values
from archspec_torch.loops.modules import fold_loops, with_fixed_counts
from archspec_torch.loops.parallel import with_parallel_lists
from archspec_torch.loops.side_inputs import with_side_inputs
from archspec_torch.planning.known_numbers import known_numbers
from archspec_torch.planning.layout import Layout, Plan, UseArgument

Blocks: TypeAlias = Mapping[str, Sequence[Line]]
"""The lists of lines of a draft by name, in a fixed order."""


@dataclass
class Draft:
    """The code of one unit. `variables` are the local variables of its `__init__`.

    `resets` are the initial values of its own tensors, and of those of its layers that PyTorch
    initialises differently. `restores` are those of its own buffers that are not in the state dict;
    `transient` is whether it has such buffers, of its own or of its modules.
    """

    layout: Layout
    signature: str
    init: list[Line]
    resets: list[Line]
    restores: list[Line]
    transient: bool
    initial_values: InitialValues
    forward: list[Line]
    adds_layers: bool = False
    """Whether it puts layers into modules of other units."""
    helpers: set[str] = field(default_factory=set)
    variables: tuple[str, ...] = ()
    is_joined: bool = False
    """Whether it has the lines of other specialisations, too."""
    constants: frozenset[str] = frozenset()
    """Flags of the block that are constants for TorchScript."""
    sizes_read: frozenset[Dim] = frozenset()
    """The sizes that `forward` writes as expressions over sizes of inputs."""

    @property
    def unit(self) -> Unit:
        """The unit of the code."""
        return self.layout.unit

    @property
    def blocks(self) -> Blocks:
        """All lines of code, by the method that they are in."""
        return {
            "init": self.init,
            "resets": self.resets,
            "restores": self.restores,
            "initialise": self.initial_values.lines,
            "forward": self.forward,
        }

    def with_blocks(self, change: Callable[[str, Sequence[Line]], Iterable[Line]]) -> Draft:
        """The same with other lines, given the name of a block and its lines."""
        new = {name: list(change(name, lines)) for name, lines in self.blocks.items()}
        return replace(
            self,
            init=new["init"],
            resets=new["resets"],
            restores=new["restores"],
            initial_values=InitialValues(tuple(new["initialise"])),
            forward=new["forward"],
        )

    @property
    def lines(self) -> Iterator[Line]:
        """All lines of code, in a fixed order."""
        return chain.from_iterable(self.blocks.values())

    @cached_property
    def names(self) -> dict[str, Any]:
        """The values of names of the block: numbers, strings, and sizes of inputs by index."""
        graph = self.unit.either
        texts = {name: text for name, text in graph.arguments.items() if isinstance(text, str)}
        return {**texts, **known_numbers(graph)}

    def holes(self) -> list[Hole]:
        """All constants, in order."""
        return [hole for line in self.lines for hole in holes(line.code)]

    def skeleton(self) -> str:
        """The common part of the drafts of one class."""
        graph = self.unit.either
        head = f"{graph.name}\n{graph.kind}\n{self.signature}\n{len(self.init)}"
        head += f" {len(self.resets)} {len(self.restores)} {self.transient}"
        made = (f"{line.indent}:{constructed(line.code)}" for line in self.init)
        rest = islice(self.lines, len(self.init), None)
        return "\n".join([head, *made, *(f"{line.indent}:{skeleton(line.code)}" for line in rest)])


def write_draft(layout: Layout, known: Plan, construct: Callable[[Unit], Code]) -> Draft:
    """Write a unit whose callees already are classes."""
    constructor = Constructor(layout, construct)
    init = constructor.write()
    transient = bool(constructor.restores)
    family = known.uses(layout.unit)
    bodies = [_bodies(use, known) for use in family]
    functions = [body.function for one in bodies for body in one]
    if any(function.uses_buffer for function in functions):
        name = literal(like_name(layout))
        init.append(Line(code(f"self.register_buffer({name}, torch.empty(0), persistent=False)")))
        transient = True
    forward, names = _forward(family, bodies)
    if not any(use.unit.has_modes for use in family):
        init, forward = fold_loops(
            layout.tree, init, forward, names, names_for_loops(layout.unit.either)
        )
        forward = with_parallel_lists(layout.tree, forward, names)
        forward = with_side_inputs(layout.tree, forward, names)
    forward = with_whole_results(layout, known, forward, names)
    initial_values = write_initial_values(layout, known)
    helpers = constructor.helpers.union(*(body.helpers for one in bodies for body in one))
    signature = _signature(layout, bodies[0][-1])
    if transient:
        helpers = {*helpers, "TransientBuffers"}
    resets, restores = [*default_lines(layout), *constructor.resets], constructor.restores
    written_out = [*init, *resets, *restores, *initial_values.lines, *forward]
    init = with_fixed_counts(init, written_out)
    return Draft(
        layout,
        signature,
        init,
        resets,
        restores,
        transient,
        initial_values,
        forward,
        bool(constructor.added),
        helpers,
        tuple(constructor.held.names),
        sizes_read=frozenset().union(*(function.sizes_read for function in functions)),
    )


class Drafts:
    """Drafts of units that are written several times, each time with other units.

    A draft is the same if the calls of its callees are, and nobody prefers other variables.
    """

    def __init__(self) -> None:
        self._made: dict[Unit, _Made] = {}

    def draft(self, unit: Unit, known: Plan, construct: Callable[[Unit], Code]) -> Draft:
        """The draft of a unit whose callees already are classes."""
        made = self._made.get(unit)
        if made is not None and all(construct(one) == call for one, call in made.calls.items()):
            for layout, (extra, arguments, names) in zip(known.uses(unit), made.found, strict=True):
                layout.extra, layout.use_arguments, layout.names = extra, arguments, dict(names)
            return made.draft
        calls: dict[Unit, Code] = {}

        def noted(callee: Unit) -> Code:
            calls[callee] = construct(callee)
            return calls[callee]

        draft = write_draft(known.of(unit), known, noted)
        found = [(use.extra, use.use_arguments, dict(use.names)) for use in known.uses(unit)]
        self._made[unit] = _Made(draft, calls, found)
        return draft


@frozen
class _Made:
    """A draft, the calls in it, and what its layouts then had.

    That is their `extra`, `use_arguments` and `names`.
    """

    draft: Draft
    calls: Mapping[Unit, Code]
    found: Sequence[
        tuple[tuple[str, ...], tuple[UseArgument, ...], Mapping[bool, Mapping[Port, str]]]
    ]


def _bodies(layout: Layout, known: Plan) -> list[Body]:
    """The statements of one use: in inference, and in training if they differ.

    The value of a buffer has a graph for each mode, but these are equal.
    """
    modes = (False, True) if layout.unit.has_modes and not layout.is_function else (False,)
    return [write_body(layout, known, training=training) for training in modes]


def _forward(
    family: Sequence[Layout], bodies: Sequence[Sequence[Body]]
) -> tuple[list[Line], Names]:
    """The statements for all uses; their layouts get the arguments that callers pass."""
    written = []
    for one in bodies:
        written.append(_statements(one))
    extra = dict.fromkeys(n for use in family for mode in use.locals for n in mode.extra)
    for use in family:
        use.extra = tuple(extra)
    if len(family) == 1:
        return written[0], bodies[0][0].function.names
    names = python_names(
        set().union(*(body.function.names.taken for one in bodies for body in one))
    )
    lines, arguments = merged(written, names)
    for number, use in enumerate(family):
        use.use_arguments = tuple(UseArgument(item.name, item.values[number]) for item in arguments)
    return lines, names


def _statements(bodies: Sequence[Body]) -> list[Line]:
    """The statements of one use, in inference and, if they differ, in training."""
    functions = [body.function for body in bodies]
    inference, *others = [[*function.prologue(), *function.lines] for function in functions]
    if not others:
        return inference
    known = [name for function in functions for name, _ in function.arguments]
    known += [name for body in bodies for name in body.draws]
    return both_modes(inference, others[0], known)


def _signature(layout: Layout, body: Body) -> str:
    tensors = [name for name, _ in body.function.arguments]
    arguments = arguments_text(layout, tensors, list(body.draws.values()))
    return f"({arguments}) -> {return_annotation(layout)}:"
