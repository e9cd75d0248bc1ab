"""The batch in the shape of a parameter, as for a class token: `param cls: f32[B, 1, 64]`."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.semantics.values.context import Context, GraphContext


def without_batch(context: Context, sizes: Sequence[object]) -> str | None:
    """The advice for the shape of a parameter whose first size is that of the batch, or None.

    The batch is axis 0 of an input; a shape of one axis is not meant to have it.
    """
    if len(sizes) < 2 or not isinstance(context, GraphContext):
        return None
    inputs = [node.types[0].shape for node in context.builder.nodes if node.is_input]
    if not any(shape and shape[0] == sizes[0] for shape in inputs):
        return None
    written = ", ".join(("1", *map(str, sizes[1:])))
    return (
        f"a parameter has no axis for the batch: write `[{written}]`, and `-> expand({sizes[0]})` "
        "where a copy for each item is needed"
    )
