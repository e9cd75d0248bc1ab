"""Calls and words of PyTorch, Keras and Python in a spec, reported with their counterparts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from archspec.diagnostics.model import Diagnostic, Edit, Fix, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.ops.registry import all_ops, choice_words
from archspec.semantics.foreign import wrappers
from archspec.semantics.foreign.call_text import path_of
from archspec.semantics.foreign.declarations import IMAGES, declaration, is_image
from archspec.semantics.foreign.places import in_place, position_note
from archspec.semantics.foreign.rewriting import Rewriter, Written, find_row
from archspec.semantics.foreign.rows import Row
from archspec.semantics.foreign.transformers import LAYER, REPEATED
from archspec.semantics.foreign.words import ADVICE, HOW, LOSSES, SEQUENCES, TRAINING
from archspec.semantics.program.foreign_names import meant_by, word_of_elsewhere
from archspec.semantics.program.library_names import missing_use, modules_of_names
from archspec.semantics.program.op_attributes import positional, with_comma
from archspec.semantics.values.bare_words import attribute_with
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import path_to

MOST = 200
"""Number of foreign calls of a file that are rewritten; others are only named."""

_TRAINING = ("Loss", "_loss", "cross_entropy", "Scheduler", "_lr", "with_logits", "kl_div")
_OPTIMISERS = frozenset({"Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "backward", "fit"})
LIBRARIES = frozenset({"torch", "nn", "F", "tf", "keras", "layers", "torchvision", "jax"})
_DECLARED = ("Parameter", "Input", "InputLayer")
_OF_FLAX = (("self", "param"), ("self", "variable"))
"""Calls that make tensors, which are declared here."""

_NO_VALUE = "`None` is `none` here, the default of what may be absent"

_SELF = (
    "a block has no `self`: a layer is written where it is applied, and named with a label: "
    "`x -> conv1: conv(64, 3)`"
)


class ForeignCalls:
    """Reports foreign calls of one file, and records the nodes that fixes already cover."""

    def __init__(self, tree: ast.Module, report: Callable[[Diagnostic], None]) -> None:
        self.tree = tree
        self.report = report
        self.covered: set[int] = set()
        """The ids of nodes rewritten by the fix of an enclosing call."""
        self.count = 0

    def call(self, node: ast.Call, known: Callable[[str], bool], stage: bool) -> bool:
        """Report a call of a foreign name; return whether it was one."""
        function = node.function
        if (found := self.method_of_call(node, known)) is not None:
            return found
        while isinstance(function, ast.Call):
            function = function.function
        path = path_of(function)
        if not path or known(path[0]) or _is_of_library(path):
            return False
        if id(node) in self.covered:
            return True
        rewriter = Rewriter(known)
        written = None
        if self.count < MOST and path not in _OF_FLAX:
            self.count += 1
            number = rewriter.of_numbers(node, _is_value(self.tree, node))
            if number is not None and len(path) == 2:
                written = Written(number, path[-1])
            written = written or rewriter.call(node, stage) or rewriter.range(node)
            written = written or rewriter.container(node)
            written = written or _choice_around(path[-1], node, rewriter)
        if written is not None:
            self._cover(node)
            self.report(self._rewritten(path, function.span, node, written))
            return True
        if path[-1] in _DECLARED or path in _OF_FLAX:
            self._cover(node)
            words = ADVICE[path[-1] if path[-1] in ADVICE else "Parameter"]
            fix = Fix(words, declaration(path[-1], node))
            notes = [IMAGES] if path[-1] in _DECLARED[1:] and is_image(node) else []
            message = _nothing(path)
            self.report(diagnostic("E0210", message, function.span, fix=fix, notes=notes))
            return True
        return self.name(function, known)

    def method_of_call(self, node: ast.Call, known: Callable[[str], bool]) -> bool | None:
        """Report `F.relu(x).flatten(1)`; None if it is not a method of the result of a call."""
        function = node.function
        if not isinstance(function, ast.Attribute) or not isinstance(function.base, ast.Call):
            return None
        base = function.base
        path = path_of(base.function)
        if not path or known(path[0]) or id(node) in self.covered or self.count >= MOST:
            return None
        rewriter = Rewriter(known)
        inner = rewriter.call(base)
        written = rewriter.method(node, inner.text) if inner is not None else None
        if inner is None or written is None:
            return None
        self.count += 1
        self._cover(node)
        whole = Written(written.text, inner.op, inner.uses, inner.notes)
        self.report(self._rewritten(path, base.function.span, node, whole))
        return True

    def name(self, node: ast.Expr, known: Callable[[str], bool]) -> bool:
        """Report a foreign name that is not called, or whose call cannot be rewritten."""
        path = path_of(node)
        if not path or known(path[0]) or _is_of_library(path):
            return False
        if id(node) in self.covered:
            return True
        row = find_row(path)
        values = path[0] in ("math", "np", "numpy") and known(path[-1])
        if row is not None and row.op and path[0] != "self" and not values:
            written = Rewriter(known).bare(node)
            called = _is_called(node.span)
            if written is not None and not called and path != ("dot",):
                self.report(self._rewritten(path, node.span, node, written))
            else:
                self.report(_not_rewritten(path, node.span, row))
            return True
        advice = _fix_for(path)
        if advice is not None:
            self.report(diagnostic("E0210", _nothing(path), node.span, fix=advice))
            return True
        if len(path) == 1:
            return False
        if known(path[-1]) and path[-1] not in ("weight", "bias"):
            fix = _without_library(path, node.span)
            self.report(diagnostic("E0210", _nothing(path[:1]), node.span, fix=fix))
            return True
        if path[0] == "self":
            self.report(diagnostic("E0210", _nothing(path[:1]), node.span, fix=_SELF))
            return True
        if path[0] in LIBRARIES and not _has_counterpart(path[-1]):
            message = f"`{'.'.join(path)}` has no counterpart here"
            words = "write it as a block of existing ops; the page of ops lists them"
            self.report(diagnostic("E0210", message, node.span, fix=words))
            return True
        return False

    def none(self, node: ast.Argument) -> bool:
        """Report an argument `name=None` or `pretrained=True`; return whether it was one."""
        value = node.value
        if node.name == "pretrained" and value.span.text == "True":
            words = (
                "remove it: weights are given to the module that is made, "
                "`network.to_torch(weights=..)`"
            )
            fix = Fix(words, (Edit(with_comma(node.span), ""),))
            message = "a spec has no trained weights"
            self.report(diagnostic("E0210", message, node.span, fix=fix))
            return True
        if not isinstance(value, ast.Name) or value.text != "None":
            return False
        if id(value) in self.covered:
            return True
        if node.name == "bias":
            fix = Fix("write `bias=false`", (Edit(value.span, "false"),))
        elif node.name is not None:
            fix = Fix("remove it", (Edit(with_comma(node.span), ""),))
        else:
            fix = Fix("remove it, and give the arguments behind it by name")
        self.report(diagnostic("E0210", _NO_VALUE, value.span, fix=fix))
        return True

    def _rewritten(
        self, path: tuple[str, ...], place: Span, node: ast.Expr, written: Written
    ) -> Diagnostic:
        whole = _with_index(node.span) if written.op in ("max", "min") else node.span
        text = in_place(written.text, whole)
        edits = [Edit(whole, text)]
        notes = [*written.notes, *self._parallel(node, written)]
        if path[-1].endswith("1D") and written.op in SEQUENCES:
            notes.append(SEQUENCES[written.op])
        if written.uses is not None:
            found = missing_use(self.tree, written.op)
            edits.extend(found.edits if found is not None else ())
            notes.append(f"`{written.op}` is in the standard library, `{written.uses[0]}`")
            if written.uses[0].endswith("objectives"):
                notes.append(LOSSES)
        short = f"{written.op}(..)" if path[-1] not in (LAYER, REPEATED) else "its parts"
        shown = written.text if len(text) <= 90 else short
        words = "write it with its parts" if shown == "its parts" else f"write `{shown}`"
        fix = Fix(words, tuple(edits))
        return diagnostic("E0210", _called(path, written.op), place, fix=fix, notes=notes)

    def _parallel(self, node: ast.Expr, written: Written) -> tuple[str, ...]:
        """A note for a list of layers, `[conv(8, 3) for i in range(4)]` or a `ModuleList`."""
        nodes = [node] if written.op == ".." else [*getattr(node, "arguments", ())]
        if written.op not in ("..", "[]") or not nodes:
            return ()
        around = path_to(self.tree, nodes[0].span.start)
        for item in around:
            if not isinstance(item, ast.Comprehension) or item.condition is not None:
                continue
            element = item.element
            if not isinstance(element, ast.Call) or _is_number(element):
                continue
            targets = ", ".join(target.span.text for target in item.targets)
            loop = f"for {targets} in .. {{ {element.span.text} }}"
            if len(loop) < 70 and "\n" not in loop:
                return (f"the layers of a list work in parallel; in sequence write `{loop}`",)
        return ()

    def _cover(self, node: ast.Node) -> None:
        stack: list[object] = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, ast.Node):
                self.covered.add(id(item))
                stack.extend(item.parts)
            elif isinstance(item, tuple):
                stack.extend(item)


def _is_number(element: ast.Call) -> bool:
    """Whether an element of a list is a call of a function of numbers."""
    return element.function.span.text in ("int", "float", "min", "max", "len", "sqrt", "log", "abs")


_VALUES = re.compile(r"\[0\]|\.values\b")


def _with_index(place: Span) -> Span:
    """`torch.max(x, 1)[0]`: the call with the index of its values; here these are the result."""
    found = _VALUES.match(place.source.text, place.end)
    return Span(place.source, place.start, found.end()) if found is not None else place


def _choice_around(word: str, node: ast.Call, rewriter: Rewriter) -> Written | None:
    """`nn.utils.spectral_norm(nn.Conv2d(3, 8, 3))`: the choice of an attribute around a layer."""
    if word in all_ops() or len(node.arguments) != 1 or node.arguments[0].name is not None:
        return None
    layer = node.arguments[0].value
    inner = rewriter.call(layer, stage=True) if isinstance(layer, ast.Call) else None
    op = all_ops().get(inner.op) if inner is not None else None
    if inner is None or op is None or not inner.text.endswith(")"):
        return None
    name = attribute_with(op, word)
    return replace(inner, text=f"{inner.text[:-1]}, {name}={word})") if name is not None else None


def _has_counterpart(name: str) -> bool:
    """Whether a name of another library is known here by a similar one."""
    listed = meant_by(name, ()) or word_of_elsewhere(name)
    return listed is not None or closest(name, [*all_ops()], cutoff=0.75) is not None


def _is_of_library(path: tuple[str, ...]) -> bool:
    """Whether a plain name is a block of the standard library that was not imported."""
    return len(path) == 1 and path[0] in modules_of_names()


_OF_VALUES = frozenset({"int", "float", "round", "floor", "ceil", "max", "min", "abs"})


def _is_value(tree: ast.Module, node: ast.Call) -> bool:
    """Whether a call is the argument of a function of values: `int(np.round(8 * ratio))`."""
    around = [one for one in path_to(tree, node.span.start) if isinstance(one, ast.Call)]
    outer = [one.function for one in around if one.span.end > node.span.end][-1:]
    return any(isinstance(one, ast.Name) and one.text in _OF_VALUES for one in outer)


def _called(path: tuple[str, ...], op: str) -> str:
    name = ".".join(path)
    if path[-1] in (wrappers.BOTH_WAYS, wrappers.EACH_STEP):
        return wrappers.message(name, op)
    if op == "..":
        return "there is no `range` here: a range is written `0..n`"
    if op == "->":
        return f"there is no `{name}` here: layers in sequence are joined by `->`"
    if op == "[]":
        return f"there is no `{name}` here: several layers are a list, `[f, g]`"
    if path[-1] in (LAYER, REPEATED):
        return f"`{name}` is written with its parts here"
    if not op:
        return f"there is no `{name}` here: an activation is an op, applied with `->`"
    if path[0] == "self":
        return f"there is no `self` here: `{path[-1]}` is called by its name"
    if path[-1] in choice_words() and path[-1] not in all_ops():
        return f"`{name}` is not a layer: `{path[-1]}` is the value of an attribute of `{op}`"
    if path[-1] == op:
        return f"`{name}` is just `{op}` here"
    return f"`{name}` is called `{op}` here"


def _not_rewritten(path: tuple[str, ...], place: Span, row: Row) -> Diagnostic:
    name = f"{row.module}.{row.op}" if row.module else row.op
    model = all_ops().get(row.op)
    notes = [position_note(row.op, positional(model))] if model is not None else []
    message = _called(path, row.op)
    fix = HOW.get(row.op, f"did you mean `{name}`?")
    return diagnostic("E0210", message, place, fix=fix, notes=notes)


def _without_library(path: tuple[str, ...], place: Span) -> Fix:
    """The fix for a name that has a meaning here without the name of its library."""
    name = path[-1]
    if name in HOW and _is_called(place):
        return Fix(HOW[name])
    return Fix(f"write `{name}`, without `{'.'.join(path[:-1])}.`", (Edit(place, name),))


def _nothing(path: tuple[str, ...]) -> str:
    return f"`{'.'.join(path)}` is not defined here"


def _fix_for(path: tuple[str, ...]) -> str | None:
    name = path[-1]
    if name in ADVICE and (len(path) > 1 or name[:1].isupper()):
        return ADVICE[name]
    if name in _OPTIMISERS or "optim" in path or name.endswith(_TRAINING):
        return TRAINING
    return None


def _is_called(place: Span) -> bool:
    return place.source.text[place.end : place.end + 1] == "("
