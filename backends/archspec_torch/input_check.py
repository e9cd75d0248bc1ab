"""The method that checks the types and sizes of the inputs of a network.

It raises TypeError for what is not a tensor, and ValueError for what PyTorch would reject somewhere
inside the network, or compute without a meaning. Conditions of training apply while all parts are
in training mode: a network with frozen norms may be trained on one image.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from archspec.analysis.counting import count
from archspec.analysis.sizes import valid_sizes
from archspec.frozen import frozen
from archspec.graph.codegen.interface import Input
from archspec.graph.compiled import Compiled
from archspec.types.condition import FALSE, TRUE, All, Condition, comparisons, symbols_of
from archspec.types.dim import Dim
from archspec.types.sizes import ValidSizes
from archspec.types.solver import condition_text
from archspec.types.tensor import DType
from archspec_torch.code.dtypes import TORCH_TYPES
from archspec_torch.code.names import python_names
from archspec_torch.code.pieces import call, code
from archspec_torch.code.text import WIDTH, lines

MOST_COMPARISONS = 12
"""Maximum length of a formula that the module checks and its docstring contains."""


@frozen
class NamedInput:
    """An input of `forward`: its name there, its declaration, and the input in the spec."""

    name: str
    declared: str
    item: Input

    @property
    def sizes(self) -> tuple[Dim | None, ...]:
        """Its shape, with None for a size that depends on the mode."""
        one, two = (self.item.type_in(training=mode).shape for mode in (False, True))
        return tuple(size if size == other else None for size, other in zip(one, two, strict=False))

    @property
    def has_one_rank(self) -> bool:
        """Whether it has the same number of axes in both modes."""
        return len({self.item.type_in(training=mode).rank for mode in (False, True)}) == 1


def check_method(network: Compiled, inputs: Sequence[NamedInput]) -> Iterator[str]:
    """The lines of the method `check_inputs`."""
    head = call("def check_inputs", "self", *(one.declared for one in inputs))
    yield from lines(code(*head, " -> None:"), 4)
    yield '        """Raise an error for inputs that the network does not accept."""'
    recorded = python_names(one.name for one in inputs).fresh("recorded")
    yield f"        {recorded} = torch.compiler.is_compiling() or torch.jit.is_tracing()"
    yield f"        if {recorded} or isinstance({inputs[0].name}, torch.fx.Proxy):"
    yield "            return"
    weighted = bool(count(network).parameters)
    for one in inputs:
        yield from _type_check(one, weighted=weighted)
    if any(one.has_one_rank for one in inputs):
        yield from _sizes_check(network, inputs)
        yield from _refusal(network, inputs)


def limits(network: Compiled) -> tuple[str, str]:
    """The valid sizes in both modes, and those in training if they differ; empty if too long."""
    plain, training = (valid_sizes(network, training=mode) for mode in (False, True))
    return _limits(plain), _limits(training) if training.formula != plain.formula else ""


def _limits(valid: ValidSizes) -> str:
    return str(valid) if valid.symbols and _is_short(valid) else ""


def _is_short(valid: ValidSizes) -> bool:
    return comparisons(valid.formula) <= MOST_COMPARISONS


def _type_check(one: NamedInput, *, weighted: bool) -> Iterator[str]:
    """Whether an input is missing, and whether it has a type of the right kind.

    A module without weights computes in the precision of its inputs.
    """
    name, item = one.name, one.item
    if item.optional:
        mode, sign = ("training", "") if item.training is not None else ("inference", "not ")
        yield f"        if {sign}self.training and {name} is None:"
        yield f'            raise ValueError("`{name}` is missing: {mode} needs it")'
    given = f"{name} is not None and " if item.optional else ""
    yield f"        if {given}not isinstance({name}, torch.Tensor):"
    message = f"`{name}` is {{type({name}).__name__}}, not a tensor: use `torch.as_tensor`"
    yield from _written("raise TypeError", message, 12)
    types = {item.type_in(training=mode).dtype for mode in (False, True)}
    if len(types) > 1:
        return
    (dtype,) = types
    wrong = {
        DType.F32: f"not torch.is_floating_point({name})",
        DType.C64: f"not torch.is_complex({name})",
        DType.BOOL: f"{name}.dtype != torch.bool",
    }.get(dtype, f"{name}.dtype not in (torch.int32, torch.int64)")
    wanted = {DType.F32: "a floating type", DType.C64: "a complex type"}
    yield f"        if {given}{wrong}:"
    known = wanted.get(dtype) or TORCH_TYPES[dtype]
    how = {DType.F32: ".float()", DType.BOOL: ".bool()", DType.I64: ".long()"}.get(dtype)
    advice = f": convert it by `{how}`" if how else ""
    message = f"`{name}` is {{{name}.dtype}}, not {known}{advice}"
    yield from _written("raise ValueError", message, 12)
    if dtype is DType.F32 and weighted:
        yield from _precision_check(name, given)


def _precision_check(name: str, given: str) -> Iterator[str]:
    """Whether an input has another precision than a module of float32, as arrays of NumPy have.

    With autocast, PyTorch converts it.
    """
    conditions = [f"{name} is not None"] if given else []
    conditions.append(f"{name}.dtype != torch.float32")
    conditions.append(f"next(self.parameters(), {name}).dtype == torch.float32")
    conditions.append(f"not ({name}.is_meta or torch.is_autocast_enabled({name}.device.type))")
    yield from _headed("        if ", conditions)
    message = f"`{name}` is {{{name}.dtype}}: convert it by `.float()`, or the module by "
    yield from _written("raise ValueError", message + f"`.to({{{name}.dtype}})`", 12)


# ---------------------------------------------------------------------- sizes


def _sizes_check(network: Compiled, inputs: Sequence[NamedInput]) -> Iterator[str]:
    """Return if the shapes are valid: those of required inputs match a pattern."""
    reading = Reading(inputs)
    cases = [[*_shape_conditions(reading), *one] for one in _cases(network, reading)]
    shapes = ", ".join(f"{one.name}.shape" for one in reading.required)
    if shapes:
        yield f"        match {shapes}:"
    for case in cases:
        if not shapes:
            yield from _headed("        if ", case or ["True"])
            yield "            return"
            continue
        patterns = ", ".join(_pattern(one, reading, case) for one in reading.required)
        yield from _headed(f"            case {patterns}{' if ' if case else ''}", case)
        yield "                return"


class Reading:
    """How conditions read sizes: by names in the pattern, or as sizes of an optional input.

    `code` is the Python of a symbol, `input_of` is the optional input that has it, `places` are
    the axes where symbols are read.
    """

    def __init__(self, inputs: Sequence[NamedInput]) -> None:
        known = [one for one in inputs if one.has_one_rank]
        self.required = [one for one in known if not one.item.optional]
        self.optional = [one for one in known if one.item.optional]
        self.code: dict[str, str] = {}
        self.input_of: dict[str, str] = {}
        self.places: set[tuple[str, int]] = set()
        names = python_names([*(one.name for one in inputs), "recorded", "part"])
        for one in (*self.required, *self.optional):
            for axis, size in enumerate(one.sizes):
                symbol = _symbol(size)
                if symbol and symbol not in self.code:
                    self.places.add((one.name, axis))
                    self.code[symbol] = names.fresh(symbol)
                    if one.item.optional:
                        self.input_of[symbol] = one.name
                        self.code[symbol] = f"{one.name}.shape[{axis}]"

    def python(self, text: str) -> str:
        """An expression of the language as Python."""
        return re.sub(r"[^\W\d]\w*", lambda name: self.code.get(name[0], name[0]), text)

    def conditions(self, parts: Iterable[Condition], valid: ValidSizes) -> list[str]:
        """Some parts of a formula; none of one that is too long, or false."""
        if not _is_short(valid) or valid.formula == FALSE:
            return []
        return [self._condition(one) for one in parts if symbols_of(one) <= self.code.keys()]

    def _condition(self, part: Condition) -> str:
        """A condition, which holds if an optional input that it reads is missing."""
        missing = sorted({self.input_of[one] for one in symbols_of(part) if one in self.input_of})
        text = self.python(condition_text(part))
        return _any([*(f"{name} is None" for name in missing), text])


def _symbol(size: Dim | None) -> str:
    """The symbol of a size, or nothing if it is not one."""
    symbols = size.symbols if size is not None else ()
    return next((one for one in symbols if size == Dim.symbol(one)), "")


def _pattern(one: NamedInput, reading: Reading, conditions: Sequence[str]) -> str:
    """`(_, 3, H, W)`; names that no condition reads are left out."""
    used = set[str]().union(*map(_names, conditions))
    items = []
    for axis, size in enumerate(one.sizes):
        name = reading.code.get(_symbol(size), "") if (one.name, axis) in reading.places else ""
        constant = None if size is None else size.constant
        items.append(str(constant) if constant is not None else name if name in used else "_")
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _shape_conditions(reading: Reading) -> Iterator[str]:
    """What a pattern does not say: equal and computed sizes, and shapes of optional inputs."""
    for one in reading.required:
        yield from _equalities(one, reading)
    for one in reading.optional:
        sizes = [_size(one, axis, reading) for axis in range(len(one.sizes))]
        if all(sizes):
            shape = ", ".join(sizes) + "," * (len(sizes) == 1)
            yield f"({one.name} is None or {one.name}.shape == ({shape}))"
        else:
            found = [f"{one.name}.dim() == {len(sizes)}", *_equalities(one, reading)]
            yield f"({one.name} is None or {' and '.join(found)})"


def _equalities(one: NamedInput, reading: Reading) -> Iterator[str]:
    for axis, size in enumerate(one.sizes):
        wanted = _size(one, axis, reading)
        if wanted and size is not None and (one.item.optional or size.constant is None):
            yield f"{one.name}.shape[{axis}] == {wanted}"


def _size(one: NamedInput, axis: int, reading: Reading) -> str:
    """The Python of a size that other inputs determine; empty for others."""
    size = one.sizes[axis]
    if size is None or (one.name, axis) in reading.places:
        return ""
    sources = {reading.input_of.get(symbol, one.name) for symbol in size.symbols}
    is_known = size.symbols <= reading.code.keys() and sources <= {one.name}
    return reading.python(str(size)) if is_known else ""


def _cases(network: Compiled, reading: Reading) -> list[list[str]]:
    """The conditions of inference and training; any of the lists has to hold.

    That of training is first, because it is slow to look for parts that are not in training mode.
    """
    plain, training = (valid_sizes(network, training=mode) for mode in (False, True))
    always, trained = _parts(plain.formula), _parts(training.formula)
    both = reading.conditions([one for one in always if one in trained], plain)
    own = reading.conditions([one for one in trained if one not in always], training)
    rest = reading.conditions([one for one in always if one not in trained], plain)
    if not own:
        return [[*both, *([_any(["self.training", " and ".join(rest)])] if rest else [])]]
    frozen = "not all(part.training for part in self.modules())"
    if rest:
        return [[*both, "self.training", *own], [*both, *rest, frozen]]
    return [[*both, _any(["not self.training", " and ".join(own)])], [*both, frozen]]


def _parts(formula: Condition) -> tuple[Condition, ...]:
    if formula == TRUE:
        return ()
    return formula.parts if isinstance(formula, All) else (formula,)


# ---------------------------------------------------------------------- text


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _any(parts: Sequence[str]) -> str:
    """A disjunction in parentheses, as an operand of `and`."""
    whole = " or ".join(_bare(text) for text in parts)
    is_one = not isinstance(ast.parse(whole, mode="eval").body, ast.BoolOp)
    return whole if is_one else f"({whole})"


def _bare(text: str) -> str:
    """Without parentheses around all of it."""
    if not text.startswith("("):
        return text
    inner = text[1:-1]
    depths = [*accumulate((one == "(") - (one == ")") for one in inner)]
    return inner if text.endswith(")") and min(depths) >= 0 else text


def _headed(head: str, conditions: Sequence[str]) -> Iterator[str]:
    """`case (H, W) if H > 1 and W > 1:`, with a line for each condition if it is too long."""
    if len(conditions) == 1:  # without parentheses
        conditions = [_bare(conditions[0])]
    whole = f"{head}{' and '.join(conditions)}:"
    if len(whole) <= WIDTH or not conditions:
        yield whole
        return
    indent = " " * (len(head) - len(head.lstrip()))
    yield f"{head}("
    together = f"{indent}    {' and '.join(conditions)}"
    if len(together) <= WIDTH:
        yield from (together, f"{indent}):")
        return
    for number, text in enumerate(conditions):
        yield f"{indent}    {'and ' if number else ''}{text}"
    yield f"{indent}):"


def _refusal(network: Compiled, inputs: Sequence[NamedInput]) -> Iterator[str]:
    """The error for sizes that are not valid. It names the inputs that were given."""
    required = [one for one in inputs if not one.item.optional]
    given = ", ".join(map(_given, required))
    wanted = ", ".join(_wanted(one, alone=len(inputs) == 1) for one in required)
    if len(required) < len(inputs):
        names = python_names(one.name for one in inputs)
        shown, valid = names.fresh("given"), names.fresh("valid")
        yield from _written(f"{shown} = ", given)
        yield from _written(f"{valid} = ", wanted)
        for one in inputs:
            if one.item.optional:
                yield f"        if {one.name} is not None:"
                yield f'            {shown} += f", {_given(one)}"'
                yield f'            {valid} += ", {_wanted(one)}"'
        part = "" if required else "[2:]"
        given, wanted = f"{{{shown}{part}}}", f"{{{valid}{part}}}"
    plain, training = limits(network)
    conditions = [text for text in (_same_sizes(inputs), plain) if text]
    message = f"{given}; valid sizes are {wanted}"
    message += f" with {', '.join(conditions)}" if conditions else ""
    message += f"; in training with {training}" if training else ""
    yield from _written("raise ValueError", message)


def _given(one: NamedInput) -> str:
    return f"`{one.name}` is {{list({one.name}.shape)}}"


def _wanted(one: NamedInput, *, alone: bool = False) -> str:
    text = one.item.type_in(training=one.item.inference is None).shape_text
    return text if alone else f"`{one.name}` {text}"


def _same_sizes(inputs: Sequence[NamedInput]) -> str:
    """The sizes that several inputs have, which must be equal: `the same B and T`."""
    seen: dict[str, int] = {}
    for one in inputs:
        for symbol in dict.fromkeys(map(_symbol, one.sizes)):
            seen[symbol] = seen.get(symbol, 0) + 1
    shared = [symbol for symbol, count in seen.items() if symbol and count > 1]
    *others, last = shared or [""]
    return f"the same {', '.join(others)}{' and ' * bool(others)}{last}" if shared else ""


def _written(head: str, message: str, margin: int = 8) -> Iterator[str]:
    """`raise ValueError("..")` or `name = ".."`, with the text in several lines if it is long."""
    opened, closed = ("(", ")") if not head.endswith(" ") else ("", "")
    space = " " * margin
    whole = f'{space}{head}{opened}{"f" * ("{" in message)}"{message}"{closed}'
    if len(whole) <= WIDTH:
        yield whole
        return
    yield f"{space}{head}("
    yield from (f"{space}    {part}" for part in _split(message))
    yield f"{space})"


def _split(message: str) -> Iterator[str]:
    """A message in parts that fit a line, divided after semicolons if possible."""
    for part in re.findall(r"[^;]+(?:; |$)", message):
        line = ""
        for word in re.findall(r"(?:\{[^}]*\}|[^ {])+ ?", part):
            if line and len(line) + len(word) + 19 > WIDTH:
                yield _quoted(line)
                line = ""
            line += word
        yield _quoted(line)


def _quoted(text: str) -> str:
    return f'{"f" * ("{" in text)}"{text}"'
