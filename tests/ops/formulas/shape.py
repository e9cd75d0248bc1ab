"""Shapes: NumPy's reshaping, and einops on arrays."""

import einops
import numpy as np

from tests.ops.formulas.table import Case, reference


@reference("identity")
def identity(op, *xs):
    return xs


@reference("flatten", cases=(Case({"start": 2}), Case({}, ("f32[]",))))
def flatten(op, x):
    if not x.ndim:
        return x[None]
    start, stop = op.start % x.ndim, op.stop % x.ndim
    return x.reshape(*x.shape[:start], -1, *x.shape[stop + 1 :])


@reference("reshape")
def reshape(op, x):
    return x.reshape(op.shape)


@reference("unflatten")
def unflatten(op, x):
    axis = op.axis % x.ndim
    return x.reshape(*x.shape[:axis], *op.sizes, *x.shape[axis + 1 :])


@reference("transpose", cases=(Case({"axis_a": -4}), Case({"axis_b": 1})))
def transpose(op, x):
    return np.swapaxes(x, op.axis_a, op.axis_b)


@reference("permute", cases=(Case({"axes": (3, 0, 1, -2)}), Case({"axes": (0, 1, 2, 3)})))
def permute(op, x):
    return np.einsum(x, range(x.ndim), [axis % x.ndim for axis in op.axes])


@reference("unsqueeze", cases=(Case({"axis": 2}),))
def unsqueeze(op, x):
    return np.expand_dims(x, op.axis)


@reference("squeeze", cases=(Case({"axis": 0}, ("f32[1, 1, 4]",)),))
def squeeze(op, x):
    return np.squeeze(x, op.axis)


@reference("expand", cases=(Case({"sizes": (2, 3)}, ("f32[1, 3, 4]",)),))
def expand(op, x):
    new = max(0, len(op.sizes) - x.ndim)
    shape = (*op.sizes, *x.shape[len(op.sizes) - new :])
    kept = (1,) * new + x.shape
    full = [old if size == -1 else size for size, old in zip(shape, kept, strict=True)]
    return x.reshape(kept) * np.ones(full)


@reference("rearrange", cases=(Case({"pattern": "b c h w -> w (c h) b"}),))
def rearrange(op, x):
    return einops.rearrange(x, op.pattern, **dict(op.axes))


REDUCED = tuple(
    Case({"pattern": "b (c k) h w -> w b c", "reduction": how, "axes": (("k", 2),)})
    for how in ("mean", "sum", "max", "min", "prod")
)


@reference("reduce", cases=(*REDUCED, Case({"pattern": "a b -> a", "reduction": "sum"},
           ("i32[2, 3]",))))  # fmt: skip
def reduce(op, x):
    return einops.reduce(x, op.pattern, op.reduction, **dict(op.axes))


@reference("repeat", cases=(Case({"pattern": "a b -> b (k a) 1", "axes": (("k", 3),)},
           ("f32[2, 3]",)),))  # fmt: skip
def repeat(op, x):
    return einops.repeat(x, op.pattern, **dict(op.axes))


# ---------------------------------------------------------------------- several tensors


@reference("concat", cases=(Case({"axis": 0}, ("f32[2, 3]", "f32[1, 3]")),))
def concat(op, *xs):
    return np.concatenate(xs, op.axis)


@reference("stack", cases=(Case({"axis": 1}, ("f32[2, 3]", "f32[2, 3]")),))
def stack(op, *xs):
    return np.concatenate([np.expand_dims(x, op.axis) for x in xs], op.axis)


@reference("split", cases=(Case({"parts": (1, 2, 3), "axis": 2}), Case({"parts": 3, "axis": -2})))
def split(op, x):
    if isinstance(op.parts, int):
        return tuple(np.split(x, op.parts, op.axis))
    return tuple(np.split(x, np.cumsum(op.parts)[:-1], op.axis))


@reference("unbind", cases=(Case({"axis": 1}, ("f32[2, 3, 4]",)),))
def unbind(op, x):
    return tuple(np.take(x, index, op.axis) for index in range(x.shape[op.axis]))


@reference("meshgrid", cases=(Case({"indexing": "xy"}, ("f32[3]", "f32[4]")),))
def meshgrid(op, *xs):
    return tuple(np.meshgrid(*xs, indexing=op.indexing))
