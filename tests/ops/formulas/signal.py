"""Fourier transforms as matrices of roots of unity, and complex numbers."""

import numpy as np

from tests.ops.formulas.table import Case, reference

SHARE = {"backward": 0, "ortho": 0.5, "forward": 1}


def points(x, count, axis):
    """The axis truncated or zero-padded to this size."""
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, max(0, count - x.shape[axis]))
    return np.take(np.pad(x, widths), range(count), axis)


def transformed(x, axis, sign):
    size = x.shape[axis]
    roots = np.exp(sign * 2j * np.pi * np.outer(np.arange(size), np.arange(size)) / size)
    return np.moveaxis(np.moveaxis(x, axis, -1) @ roots, -1, axis)


def forward(x, axis, norm):
    return transformed(x, axis, -1) / x.shape[axis] ** SHARE[norm]


def backward(x, axis, norm):
    return transformed(x, axis, 1) / x.shape[axis] ** (1 - SHARE[norm])


def whole(x, size, axis):
    """All frequencies of a real signal of `size` points, from the first half of them."""
    half = points(x, size // 2 + 1, axis)
    index = np.arange(size // 2 + 1)
    own = (index == 0) | (2 * index == size)  # their own conjugates: real
    shape = [1] * x.ndim
    shape[axis] = -1
    own = own.reshape(shape)
    half = np.where(own, half.real, half)
    rest = np.take(half, [size - at for at in range(size // 2 + 1, size)], axis)
    return np.concatenate([half, rest.conj()], axis)


@reference("rfft", cases=(Case({"axis": 2, "size": 4}), Case({"norm": "forward"}),
           Case({"axis": 2, "norm": "ortho"})))  # fmt: skip
def rfft(op, x):
    x = points(x, x.shape[op.axis] if op.size is None else op.size, op.axis)
    return np.take(forward(x, op.axis, op.norm), range(x.shape[op.axis] // 2 + 1), op.axis)


@reference("irfft", cases=(Case({"axis": 1, "norm": "ortho"}, ("c64[2, 7, 3]",)),
           Case({"size": 6}, ("c64[2, 7]",)), Case({"size": 7}, ("c64[2, 4]",))))  # fmt: skip
def irfft(op, x):
    size = 2 * (x.shape[op.axis] - 1) if op.size is None else op.size
    return backward(whole(x, size, op.axis), op.axis, op.norm).real


@reference("rfft2", cases=(Case({"norm": "forward"}, ("f32[2, 3, 5]",)),))
def rfft2(op, x):
    found = forward(forward(x, -1, op.norm), -2, op.norm)
    return found[..., : x.shape[-1] // 2 + 1]


@reference("irfft2", cases=(Case({"norm": "forward"}, ("c64[2, 6, 4]",)),
           Case({"size": (5, 6)}, ("c64[2, 6, 5]",))))  # fmt: skip
def irfft2(op, x):
    high, wide = (x.shape[-2], 2 * (x.shape[-1] - 1)) if op.size is None else op.size
    x = backward(points(x, high, -2), -2, op.norm)
    return backward(whole(x, wide, -1), -1, op.norm).real


@reference("as_complex")
def as_complex(op, x):
    return x[..., 0] + 1j * x[..., 1]


@reference("as_real")
def as_real(op, x):
    return np.stack([x.real, x.imag], -1)


@reference("conjugate")
def conjugate(op, x):
    return x.real - 1j * x.imag
