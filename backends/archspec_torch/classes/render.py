"""Classes as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePath

from archspec.frozen import frozen
from archspec.source import NOWHERE
from archspec_torch.classes.constructor.named_numbers import with_local_names
from archspec_torch.classes.constructor.parameters import Filling, Parameter
from archspec_torch.classes.constructor.requirements import refusals
from archspec_torch.classes.grouping import ClassDef, fill
from archspec_torch.classes.shapes import Shapes
from archspec_torch.code.comments import doc_lines, safe_text
from archspec_torch.code.joining import Shown, joined
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import NO_DEFAULT, Code, holes
from archspec_torch.code.text import WIDTH, flat, lines, literal


@frozen
class More:
    """Lines of the class of a network in addition to those of its draft.

    `attributes` are those of the class, `refusals` check the arguments of its constructor, `start`
    ends it, `setters` are methods that set initial values, `inner` are lines that end
    `init_weights`; `beginning` are the first lines of `forward`, `methods` are further ones; `name`
    is that of the network or preset.
    """

    attributes: Sequence[str] = ()
    refusals: Sequence[str] = ()
    start: Sequence[str] = ()
    setters: Sequence[str] = ()
    inner: Sequence[str] = ()
    beginning: Sequence[str] = ()
    methods: Sequence[str] = ()
    name: str = ""


NOTHING_MORE = More()


def render_class(
    item: ClassDef, names: Mapping[str, str], doc: str, more: More = NOTHING_MORE
) -> str:
    """One class or function; `doc` is a paragraph of the docstring, of a function all of it."""
    return "\n".join(_Renderer(item, names, more).render(doc))


class _Renderer:
    def __init__(self, item: ClassDef, names: Mapping[str, str], more: More) -> None:
        self.item, self.names, self.more = item, dict(names), more
        self.filled = iter(item.filled)
        self.shapes = Shapes(item.drafts, item.parameters, item.filled)
        columns = ([line.comment for line in draft.lines] for draft in item.drafts)
        self.comments = zip(*columns, strict=True)

    def render(self, doc: str) -> Iterator[str]:
        draft = self.item.first
        own = "" if self.item.is_function else "self."
        init = self._block(draft.init, "", 8)
        resets = self._block(draft.resets, own, 8)
        restores = self._block(draft.restores, own, 8)
        initial_values = self._block(draft.initial_values.lines, own, 8)
        indent = 4 if self.item.is_function else 8
        forward = self._block(draft.forward, own, indent)
        if self.item.is_function:
            yield from self._function(draft.signature, doc, forward)
            return
        base = "TransientBuffers" if draft.transient else "nn.Module"
        yield f"class {self.item.name}({base}):"
        yield from _docstring(self.item, doc, self.more.name)
        yield ""
        attributes = [*self._constants(), *self.more.attributes]
        if attributes:
            yield from (f"    {line}" for line in attributes)
            yield ""
        rest = [*resets, *restores, *initial_values, *forward]
        start = ("self.reset_parameters()",) if resets or restores else ()
        yield from self._init(init, rest, (*start, *self.more.start))
        yield from self.more.setters
        yield from _resets(resets, restores)
        yield from _initial_values([*initial_values, *self.more.inner])
        yield ""
        yield from _wrapped(
            "    def forward", f"(self, {draft.signature[1:]}".replace("(self, )", "(self)")
        )
        yield from (f"        {line}" for line in self.more.beginning)
        yield from forward
        if self.more.methods:
            yield from ("", *self.more.methods)

    def _constants(self) -> Iterator[str]:
        """Flags by which TorchScript compiles one side of an `if` only."""
        for parameter in self.item.parameters:
            if parameter.source in self.item.first.constants:
                yield f"{parameter.name}: Final[{parameter.kind}]"

    def _init(self, body: list[str], rest: list[str], start: Sequence[str]) -> Iterator[str]:
        arguments = "".join(f", {_declared(p)}" for p in self.item.parameters)
        if arguments and self.item.first.layout.root:
            arguments = f", *{arguments}"  # which ones there are depends on the spec
        yield from _wrapped("    def __init__", f"(self{arguments}) -> None:")
        yield "        super().__init__()"
        refused = refusals(self.item.name, self.item.required)
        yield from (f"        {line}" for line in (*refused, *self.more.refusals))
        text = "\n".join(rest)
        for parameter in self.item.parameters:
            if re.search(rf"self\.{parameter.name}\b", text):
                yield f"        self.{parameter.name} = {parameter.name}"
        yield from body
        yield from (f"        {line}" for line in start)

    def _function(self, signature: str, doc: str, body: list[str]) -> Iterator[str]:
        arguments = ", ".join(f"{_declared(p)}" for p in self.item.parameters)
        inside = signature[1:]
        joined = (
            f"({arguments}, {inside}"
            if arguments and not inside.startswith(")")
            else (f"({arguments}{inside}")
        )
        yield from _wrapped(f"def {self.item.name}", joined, indent=0)
        yield f'    """{doc}"""'
        yield from body

    def _block(self, block: Sequence[Line], own: str, indent: int) -> list[str]:
        """Lines as text, with a comment if the shape differs from that of the line before."""
        filled, local = self._with_local_names(block, own)
        shown = [Shown(line.code) for line in local]
        shown += [
            Shown(
                fill(line.code, filled, self.names, own),
                line.indent,
                self.shapes.text(next(self.comments)),
                line.is_part,
                line.weight,
            )
            for line in block
        ]
        found: list[str] = []
        known = ""
        for one in joined(shown, indent):
            bare = one.comment.removeprefix("each ")
            comment = "" if bare == known else one.comment
            found += _with_comment(one.code, indent + one.indent, comment)
            known = bare or known
        return found

    def _with_local_names(
        self, block: Sequence[Line], own: str
    ) -> tuple[Iterator[Filling | None], list[Line]]:
        """What fills the holes of a block, and the variables for numbers with names."""
        count = sum(1 for line in block for _ in holes(line.code))
        filled = [*islice(self.filled, count)]
        taken = {word for line in block for word in re.findall(r"\w+", flat(line.code))}
        taken |= {*re.findall(r"\w+", self.item.first.signature), *self.item.variables}
        taken |= {one.name for one in self.item.parameters} if not own else set()
        found, local = with_local_names(filled, self.item.numbers, taken, own)
        return iter(found), local


def _declared(parameter: Parameter) -> str:
    """`stride: int = 1`."""
    has_default = parameter.default is not NO_DEFAULT
    default = f" = {literal(parameter.default)}" if has_default else ""
    return f"{parameter.name}: {parameter.kind}{default}"


def _resets(resets: list[str], restores: list[str]) -> Iterator[str]:
    """The methods that set initial values of a module's own tensors."""
    if resets or restores:
        yield ""
        yield "    def reset_parameters(self) -> None:"
        yield '        """Set the tensors that this module owns itself to initial values."""'
        yield from resets
    if restores:
        yield "        self.restore_buffers()"
        yield ""
        yield "    def restore_buffers(self) -> None:"
        yield '        """Set the values of the buffers that no state dict has."""'
        yield from restores


def _initial_values(body: Sequence[str]) -> Iterator[str]:
    if body:
        yield ""
        yield "    def init_weights(self) -> None:"
        yield '        """Set the initial values that differ from those of PyTorch\'s layers."""'
        yield from body


def _with_comment(source: Code, indent: int, comment: str) -> list[str]:
    written = lines(source, indent)
    if not comment:
        return written
    if len(written) == 1 and len(written[0]) + len(comment) + 4 <= WIDTH:
        return [f"{written[0]}  # {comment}"]
    if len(comment) + indent + 2 > WIDTH:
        comment = comment[: WIDTH - indent - 6] + " ..."
    return [f"{' ' * indent}# {comment}", *written]


def _docstring(item: ClassDef, doc: str, preset: str) -> Iterator[str]:
    graph = item.first.unit.either
    span = graph.origin.span
    place = f"{safe_text(PurePath(span.source.name).name)}:{span.line}"
    where = f" ({place})" if span is not NOWHERE else ""
    first = f"The {graph.kind} `{safe_text(graph.name)}`{where}."
    if preset not in ("", graph.name):
        first = f"The preset `{safe_text(preset)}` of the network `{safe_text(graph.name)}`{where}."
    if graph.kind == "iteration":
        first = f"An iteration of a loop{where}."
    text = doc_lines(doc, WIDTH - 4)
    if not text:
        yield f'    """{first}"""'
        return
    yield f'    """{first}'
    yield ""
    yield from (f"    {line}".rstrip() for line in text)
    yield '    """'


def _wrapped(head: str, rest: str, indent: int = 4) -> list[str]:
    """A `def` line; if it is too long, its arguments are on the next one, or one per line."""
    whole = head + rest
    if len(whole) <= WIDTH:
        return [whole]
    inner, _, tail = rest[1:].rpartition(") -> ")
    pad = " " * (indent + 4)
    last = [f"{' ' * indent}) -> {tail}"]
    if len(last[0]) > WIDTH and tail.endswith("]:"):
        returned, _, parts = last[0][:-2].partition("[")
        last = [f"{returned}[", *(f"{pad}{item}," for item in _split_arguments(parts))]
        last.append(f"{' ' * indent}]:")
    if len(pad + inner) <= WIDTH:
        return [f"{head}(", f"{pad}{inner}", *last]
    return [f"{head}(", *(f"{pad}{item}," for item in _split_arguments(inner)), *last]


def _split_arguments(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]
