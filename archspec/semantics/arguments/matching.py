"""Assignment of arguments to the parameters of a definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import beginning, rename
from archspec.diagnostics.wording import counted
from archspec.semantics.program.definitions import BlockDefinition, Definition
from archspec.semantics.values.context import Context, Reported
from archspec.semantics.values.display import on_one_line
from archspec.semantics.values.model import Given
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import path_to


def by_name(
    context: Context, definition: Definition, given: tuple[Given, ...]
) -> Mapping[str, Given]:
    """The arguments by parameter.

    Raises SpecError for a surplus argument (E0303) and an unknown name (E0302).
    """
    parameters = definition.parameters
    names = [parameter.name or "_" for parameter in parameters]
    found: dict[str, Given] = {}
    position = 0
    for item in given:
        if item.name is None:
            if position >= len(names):
                takes = counted(len(names), "argument")
                raise context.error(
                    "E0303",
                    f"`{definition.name}` takes {takes}, and this is one too many",
                    item.span,
                    secondary=[(definition.name_span, "defined here")],
                    notes=_of_preset(given, item, definition),
                )
            found[names[position]] = item
            position += 1
        elif item.name in names:
            found[item.name] = item
        elif definition.damaged or item.name in definition.module.missed:
            raise Reported()
        else:
            raise context.error(
                "E0302",
                f"`{definition.name}` has no parameter `{item.name}`",
                item.span,
                secondary=[(definition.name_span, "defined here")],
                notes=_known_parameters(definition, item.name, names),
                fix=of_elsewhere(context, definition, item.span)
                or rename(beginning(item.span, item.name), item.name, names),
            )
    return found


def _of_preset(given: Sequence[Given], item: Given, definition: Definition) -> tuple[str, ...]:
    """A note for a surplus argument of a preset or a partial call, which has arguments already."""
    at = given.index(item)
    earlier = [one for one in given[:at] if one.name is None and not _is_beside(one, item)]
    if not earlier:
        return ()
    texts = ", ".join(on_one_line(one.span) for one in earlier)
    first = f"`{definition.name}({texts})`"
    return (f"it continues {first}: to replace an argument, give it by name",)


def _is_beside(one: Given, other: Given) -> bool:
    """Whether two arguments are in the same parentheses."""
    start, end = sorted((one.span, other.span), key=lambda span: span.start)
    if one.span.source is not other.span.source:
        return False
    between = one.span.source.text[start.end : end.start]
    return "\n" not in between.strip() and ")" not in between


def of_elsewhere(context: Context, definition: Definition, place: Span) -> Fix | None:
    """The call of an op for a call of another library's layer, `dense(128, activation="relu")`.

    The name is that of a block of the standard library, too, which is visible everywhere.
    """
    from archspec.semantics.foreign.rewriting import Rewriter

    module = context.environment.module
    if definition.name not in module.prelude or place.source is not module.tree.source:
        return None
    path = path_to(module.tree, place.start)
    call = next((one for one in reversed(path) if isinstance(one, ast.Call)), None)
    if call is None or call.function.span.text != definition.name:
        return None
    written = Rewriter(lambda name: name != definition.name).call(call, stage=True)
    if written is None:
        return None
    words = f"`{definition.name}` of other libraries is written `{written.text}`"
    return Fix(words, (Edit(call.span, written.text),))


def _known_parameters(definition: Definition, name: str, names: Sequence[str]) -> tuple[str, ...]:
    """A note with the parameters of a definition, for an argument that it does not have."""
    if isinstance(definition, BlockDefinition) and name in free_dims(definition.node.body):
        return (
            f"`{name}` is a free dimension of an input: every size is taken, and none is given; "
            f"`--size {name}=..` reports another one",
        )
    if names and isinstance(definition, BlockDefinition) and definition.node.is_network:
        declared = ", ".join(f"`{on_one_line(item.span)}`" for item in definition.parameters)
        return (f"it has {declared}",)
    return (f"it has {', '.join(names)}" if names else "it has no parameters",)


def free_dims(body: ast.Body) -> frozenset[str]:
    """Names of dims with a default size in the inputs of a network."""
    inputs = [item for item in body.statements if isinstance(item, ast.Input)]
    types = [item.type for statement in inputs for item in statement.items if item.type is not None]
    return frozenset(
        dim.value.text
        for type_ in types
        for dim in type_.dims
        if dim.default is not None and isinstance(dim.value, ast.Name)
    )
