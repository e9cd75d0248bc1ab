"""Check of the sizes of a whole network: some must work, and unusual restrictions are a warning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from archspec.diagnostics.model import Edit, Fix, Severity, Sink, diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Requirement
from archspec.graph.walk import requirements
from archspec.semantics.expansion.network_inputs import Inputs
from archspec.semantics.expansion.requirements import beyond_bounds, sizes_text
from archspec.semantics.values.budget import Budget
from archspec.shipped import is_library
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import All, conjunction, evaluate, symbols_of
from archspec.types.solver import VerdictKind, clauses, decide, limited


def check_sizes(
    compiled: Compiled,
    inputs: Inputs,
    sink: Sink,
    budget: Budget,
    axes_meant: Mapping[Span, Fix | None],
) -> None:
    """Report when the requirements together exclude all sizes, or some (with the clause to add).

    `axes_meant` has fixes for ops that may work along another axis than the one that is meant.
    """
    needs = requirements(compiled.inference, training=False)
    if not needs:
        return
    condition = conjunction(item.condition for item in needs)
    verdict = decide(condition, compiled.where, budget.question)
    where = _input_span(inputs)
    never = verdict.kind is VerdictKind.NEVER
    names = () if never else _limited_by_accident(compiled, needs, budget)
    if never or names:
        few = f"only finitely many sizes of {', '.join(names)} are valid for all layers"
        message = few if names else "no size is valid for all layers"
        sink.report(diagnostic("E0402", message, where, secondary=_reasons(needs)))
        return
    if verdict.kind is VerdictKind.UNDECIDED:
        sink.report(
            diagnostic("E0410", "undecided: which sizes are valid", where, notes=[verdict.reason])
        )
        return
    formula = verdict.formula
    parts = formula.parts if isinstance(formula, All) else (formula,)
    if beyond_bounds(parts):
        texts = clauses(formula)
        _warn(
            needs, texts, _in_both_modes(compiled, needs, texts, budget), inputs, sink, axes_meant
        )
    elif not evaluate(condition, compiled.sizes):
        failing = tuple(item for item in needs if not evaluate(item.condition, compiled.sizes))
        sink.report(
            diagnostic(
                "W0402",
                f"the sizes for reports, {sizes_text(compiled.sizes)}, are not valid",
                where,
                secondary=_reasons(failing),
                fix="use valid sizes",
                severity=Severity.WARNING,
            )
        )


def _limited_by_accident(
    compiled: Compiled, needs: tuple[Requirement, ...], budget: Budget
) -> tuple[str, ...]:
    """The dims left with finitely many sizes by requirements that the spec did not choose.

    Each requirement by itself leaves infinitely many, so this takes two that share a dim.
    """
    found = [item.condition for item in needs if not item.chosen]
    shared = Counter(name for condition in found for name in symbols_of(condition))
    if max(shared.values(), default=0) < 2:
        return ()
    return limited(conjunction(found), compiled.where, budget.question)


def _in_both_modes(
    compiled: Compiled, needs: Sequence[Requirement], texts: Sequence[str], budget: Budget
) -> Sequence[str]:
    """The clauses of the sizes that are valid in inference and in training, such as for its losses.

    Those of inference if there are no others.
    """
    of_training = requirements(compiled.training, training=False)
    if all(item in needs for item in of_training):
        return texts
    condition = conjunction(item.condition for item in (*needs, *of_training))
    verdict = decide(condition, compiled.where, budget.question)
    found = verdict.kind is VerdictKind.SOMETIMES
    return clauses(verdict.formula) if found else texts


def _warn(
    needs: tuple[Requirement, ...],
    texts: Sequence[str],
    in_both: Sequence[str],
    inputs: Inputs,
    sink: Sink,
    axes_meant: Mapping[Span, Fix | None],
) -> None:
    span = _input_span(inputs)
    valid, clause = "where " + ", ".join(texts), "where " + ", ".join(in_both)
    joined = ", " + ", ".join(in_both) if inputs.where_span is not None else " " + clause
    end = (inputs.where_span or span).end
    edit = Edit(Span(span.source, end, end), joined)
    fits = evaluate(conjunction(item.condition for item in needs), inputs.sizes)
    size = sizes_text(inputs.sizes)
    notes = () if fits else (f"the default sizes, {size}, are not among these",)
    reasons = _reasons(needs)
    also = "" if in_both == texts else ", which training needs"
    words = f"declare this at the input: `{clause}`{also}"
    fix = Fix(words, (edit, *_multiples(in_both, inputs)))
    place, label = span, ""
    if (batch := _mixed_batch(texts, inputs)) is not None:
        notes = (
            *notes,
            f"`{batch}` is divided as a whole, so that parts of several examples are joined",
            f"if this is intended, declare `{clause}` at the input",
        )
        others = " and ".join(f"`{name}`" for name in batch.split("*")[1:])
        fix = Fix(
            f"keep the axis of the batch, `reshape({batch.split('*')[0]}, -1)`, with a fixed size "
            f"for {others} in the type of the input where a layer needs it"
        )
    meant = next((place for place, _ in reasons if axes_meant.get(place)), None)
    if meant is not None:
        notes = (*notes, f"if this is intended, declare `{clause}` at the input")
        fix = axes_meant[meant] or fix
        if not is_library(meant.source.name):  # the op is the place to change, not the input
            place, label = meant, dict(reasons)[meant]
            reasons = [(span, "the input"), *(item for item in reasons if item[0] != meant)]
    sink.report(
        diagnostic(
            "W0401",
            f"this network is only valid {valid}",
            place,
            label,
            secondary=reasons,
            notes=notes,
            fix=fix,
            severity=Severity.WARNING,
        )
    )


_PRODUCT = re.compile(r"\w+(?:\*\w+)+")


def _mixed_batch(texts: Sequence[str], inputs: Inputs) -> str | None:
    """The product of the batch, the free first axis of an input, and other sizes in a clause."""
    types = [item.type for statement in inputs.statements for item in statement.items]
    first = [shape.dims[0] for shape in types if shape is not None and shape.dims]
    batches = {entry.value.text for entry in first if isinstance(entry.value, ast.Name)}
    for found in (found for text in texts for found in _PRODUCT.findall(text)):
        names = [name for name in found.split("*") if not name.isdecimal()]
        mixed = [name for name in names if name in batches]
        if len(mixed) == 1 and len(names) > 1:
            return "*".join((*mixed, *(name for name in names if name not in mixed)))
    return None


_MULTIPLE = re.compile(r"(\w+) % (\d+) == 0")


def _multiples(texts: Sequence[str], inputs: Inputs) -> tuple[Edit, ...]:
    """The edits that make default sizes multiples, if the clauses require them."""
    edits: list[Edit] = []
    for found in filter(None, map(_MULTIPLE.fullmatch, texts)):
        name, factor = found[1], int(found[2])
        size, place = inputs.sizes.get(name, 0), inputs.places.get(name)
        if place is not None and size % factor:
            edits.append(Edit(place, str(-(-size // factor) * factor)))
    return tuple(edits)


def _reasons(needs: tuple[Requirement, ...]) -> list[tuple[Span, str]]:
    """Locations and reasons of size restrictions, without lower bounds if there are others."""
    places: dict[Span, str] = {}
    strict = set(beyond_bounds(item.condition for item in needs))
    for item in needs:
        if item.condition in strict:
            places.setdefault(item.origin.span, item.reason)
    found = list(places.items()) or [(item.origin.span, item.reason) for item in needs]
    return found[:4]


def _input_span(inputs: Inputs) -> Span:
    """The first statement after which all sizes are declared."""
    if not inputs.statements:
        return inputs.definition.name_span
    first_uses = [place.start for place in inputs.places.values()]
    statement = next(
        (item for item in inputs.statements if all(start < item.span.end for start in first_uses)),
        inputs.statements[-1],
    )
    last = statement.items[-1]
    return statement.items[0].span.to(last.type.span if last.type is not None else last.span)
