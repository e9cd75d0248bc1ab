"""Learned position embeddings of a transformer for another image size."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isqrt

import torch
from torch import Tensor, nn


def resample_positions(
    state: Mapping[str, Tensor],
    module: nn.Module,
    names: Collection[str] | None = None,
    *,
    antialias: bool = True,
) -> dict[str, Tensor]:
    """A state dict with position tables resampled to the sizes that they have in a module.

    A table has a vector for each position of a square grid, [1, N, D], after those of class tokens
    and the like, which do not change; or [1, H, W, D]. Bicubic, as in DeiT (arXiv:2012.12877) and
    timm. Everything else, and tables of the right size, are passed on. Raises ValueError for a
    table among `names` that cannot be resampled; without `names` it is passed on, and loading
    reports why.

    Args:
        state: The weights of the same network at another size.
        module: The network at the new size; it may be on the meta device.
        names: The tables. By default, all with three or four axes that differ. A table with two,
        [N, D]
            (an `embedding`), has to be named: its shape does not show that it is one.
        antialias: As in timm; DeiT's own scripts do not, with slightly different numbers.
    """
    sizes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    result = dict(state)
    for name in state if names is None else names:
        table, size = state[name], sizes.get(name, ())
        if tuple(table.shape) == size or (names is None and table.dim() not in (3, 4)):
            continue
        resampled = _resampled(table, size, antialias)
        if resampled is not None:
            result[name] = resampled
        elif names is not None:
            given = f"{list(table.shape)} to {list(size)}"
            raise ValueError(f"`{name}` is not a table of square grids: {given}")
    return result


def _resampled(table: Tensor, size: tuple[int, ...], antialias: bool) -> Tensor | None:
    """The table at this size, or None if one of the two is not a table of a grid."""
    shape = tuple(table.shape)
    if len(shape) != len(size) or shape[-1] != size[-1] or not table.is_floating_point():
        return None
    is_one = shape[0] == size[0] == 1
    if len(shape) == 4 and is_one:
        return _stretched(table, size[1], size[2], antialias)
    if len(shape) == 2 or (len(shape) == 3 and is_one):
        return _in_rows(table, size, antialias)
    return None


def _in_rows(table: Tensor, size: tuple[int, ...], antialias: bool) -> Tensor | None:
    """A table whose grid is stored row by row, after the class tokens."""
    given, wanted = table.shape[-2], size[-2]
    tokens = _in_front(given, wanted)
    if tokens is None:
        return None
    old, new = isqrt(given - tokens), isqrt(wanted - tokens)
    rows = table.reshape(1, given, size[-1])
    grid = rows[:, tokens:].reshape(1, old, old, size[-1])
    places = _stretched(grid, new, new, antialias).flatten(1, 2)
    return torch.cat((rows[:, :tokens], places), 1).reshape(size)


def _in_front(given: int, wanted: int) -> int | None:
    """The smallest number of class tokens for which both grids are squares."""
    for tokens in range(min(given, wanted)):
        if all(isqrt(n - tokens) ** 2 == n - tokens for n in (given, wanted)):
            return tokens
    return None


def _stretched(grid: Tensor, height: int, width: int, antialias: bool) -> Tensor:
    """[1, H, W, D] with another height and width; computed in 32 bits."""
    image = grid.permute(0, 3, 1, 2).float()
    image = nn.functional.interpolate(image, (height, width), mode="bicubic", antialias=antialias)
    return image.permute(0, 2, 3, 1).to(grid.dtype)
