"""The sensitivity of a network to its input: measurements on a module and some images.

These are experiments, not properties of a graph: they need weights and images. The report has the
largest possible receptive fields (`receptive_fields`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from archspec.diagnostics.suggest import closest


def occlusion_map(
    module: nn.Module,
    images: Tensor,
    label: int | Sequence[int],
    window: int,
    stride: int = 1,
    fill: float | Tensor = 0.0,
    batch: int = 64,
) -> Tensor:
    """The score of a label while a square of the image is covered: [B, P, Q], by position.

    Squares of `window` by `window` pixels have a distance of `stride`, starting at the upper left
    corner, so many that each pixel is covered; the last ones may extend beyond the edge. Low values
    show what the network depends on. Zeiler and Fergus (arXiv:1311.2901) cover with grey and plot a
    probability.

    Args:
        module: A network whose output, or the first with two axes among several, is [B, classes].
            It is run in inference mode, and then returned to its mode.
        images: [B, C, H, W].
        label: The column of the score: one for all images, or one for each.
        window: Side of the square.
        stride: The distance of the squares, at most `window`.
        fill: What they are covered with: a number, or a tensor that broadcasts with [C, H, W],
            such as the mean of each channel in [C, 1, 1].
        batch: The number of covered images computed at once.
    """
    if not 1 <= stride <= window:
        raise ValueError(f"stride is from 1 to window, which is {window}, not {stride}")
    labels = _one_for_each(label, images)
    rows, columns = (
        _covered(size, window, stride, images.device) for size in (images.shape[2], images.shape[3])
    )
    places = torch.arange(len(rows) * len(columns), device=images.device)
    cover = torch.as_tensor(fill, dtype=images.dtype, device=images.device)
    maps = []
    with _in_inference(module), torch.no_grad():
        for image, column in zip(images, labels, strict=True):
            scores = []
            for some in torch.split(places, batch):
                high, wide = rows[some // len(columns)], columns[some % len(columns)]
                hidden = (high[:, :, None] & wide[:, None, :])[:, None]
                outputs = module(torch.where(hidden, cover, image))
                scores.append(_with_axes(outputs, 2)[0][:, column])
            maps.append(torch.cat(scores).reshape(len(rows), len(columns)))
    return torch.stack(maps)


def grad_cam(module: nn.Module, images: Tensor, label: int | Sequence[int], layer: str) -> Tensor:
    """The positions of a feature map that increase the score of a label: [B, P, Q], at least 0.

    Channels of the map are weighted by the mean over positions of the gradient of the score, added,
    and negative sums are set to 0. Selvaraju et al. (arXiv:1610.02391), equations 1 and 2. They
    take the score before a softmax, and resize the result to the image bilinearly
    (`torch.nn.functional.interpolate`).

    Args:
        module: A network whose output, or the first with two axes among several, is [B, classes].
            It is run in inference mode, and then returned to its mode.
        images: [B, C, H, W].
        label: The column of the score: one for all images, or one for each.
        layer: The name of a layer, as in `named_modules()`, whose output, or the last with four
            axes among several, is the feature map [B, C, P, Q]. If it is called more than once,
            the last call counts.

    Raises:
        ValueError: There is no such layer, it is not called, or the score does not depend on it.
    """
    layers = dict(module.named_modules())
    if layer not in layers:
        like = closest(layer, layers)
        raise ValueError(
            f"there is no layer {layer!r}" + (f"; did you mean {like!r}?" if like else "")
        )
    maps: list[Tensor] = []

    def keep(_layer: nn.Module, _inputs: object, outputs: object) -> object:
        found = _with_axes(outputs, 4)[-1]
        maps.append(found.detach().requires_grad_())
        # The network continues with a copy, because the next layer may overwrite its input.
        return _replaced(outputs, found, maps[-1].clone())

    labels = _one_for_each(label, images)
    hook = layers[layer].register_forward_hook(keep)
    try:
        with _in_inference(module), torch.enable_grad():
            scores = _with_axes(module(images), 2)[0]
    finally:
        hook.remove()
    if not maps:
        raise ValueError(f"the layer {layer!r} is not called")
    total = scores[torch.arange(len(images)), labels].sum()
    slope = None
    if total.requires_grad:
        (slope,) = torch.autograd.grad(total, maps[-1], allow_unused=True)
    if slope is None:
        raise ValueError(f"the score does not depend on the output of {layer!r}")
    weights = slope.mean((2, 3), keepdim=True)
    return (weights * maps[-1].detach()).sum(1).relu()


def effective_receptive_field(
    module: nn.Module, images: Tensor, *, positive: bool = False, batch: int = 1
) -> Tensor:
    """The effect of each pixel on the centre of the last feature map: [H, W].

    It is the absolute value of the gradient of the sum over channels at the centre, summed over
    channels of the input and averaged over images. Luo et al. (arXiv:1701.04128). If the last layer
    is a layer norm over channels, that sum is constant and only `positive` is meaningful.

    Args:
        module: A network whose output, or the last with four axes among several, is [B, C, P, Q].
            It is run in inference mode, and then returned to its mode.
        images: [B, C, H, W].
        positive: Only channels with positive values and pixels that increase them, as the authors
            of RepLKNet (arXiv:2203.06717) and UniRepLKNet count.
        batch: The number of images computed at once.
    """
    total = torch.zeros(images.shape[2:], dtype=images.dtype, device=images.device)
    with _in_inference(module), torch.enable_grad():
        for some in torch.split(images, batch):
            pixels = some.detach().requires_grad_()
            answers = _with_axes(module(pixels), 4)[-1]
            centre = answers[:, :, answers.shape[2] // 2, answers.shape[3] // 2]
            (slope,) = torch.autograd.grad((centre.relu() if positive else centre).sum(), pixels)
            total += (slope.relu() if positive else slope.abs()).sum((0, 1))
    return total / len(images)


def log_scaled(field: Tensor) -> Tensor:
    """An effective receptive field scaled for plots and comparisons: log(1 + value), maximum 1."""
    logarithm = field.log1p()
    return logarithm / logarithm.max()


def high_contribution_area(field: Tensor, share: float) -> tuple[int, float]:
    """The smallest centred square with more than this share of the total; its side and area ratio.

    The ratio is `r` of the tables of RepLKNet, if `field` is the result of `log_scaled`. The side
    is odd, because the square has a pixel in its centre. If no smaller square has this share, the
    result is the whole field: (H, 1.0).
    """
    height, width = field.shape
    enough = share * float(field.sum())
    for reach in range(min(height, width) // 2):
        top, left = height // 2 - reach, width // 2 - reach
        side = 2 * reach + 1
        if float(field[top : top + side, left : left + side].sum()) > enough:
            return side, side * side / (height * width)
    return height, 1.0


def _one_for_each(label: int | Sequence[int], images: Tensor) -> list[int]:
    labels = [label] * len(images) if isinstance(label, int) else list(label)
    if len(labels) != len(images):
        raise ValueError(f"there are {len(labels)} labels for {len(images)} images")
    return labels


def _covered(size: int, window: int, stride: int, device: torch.device) -> Tensor:
    """The pixels of an axis that each square covers: [positions, size]."""
    places = 1 + max(0, -(-(size - window) // stride))
    first = stride * torch.arange(places, device=device)[:, None]
    pixels = torch.arange(size, device=device)
    return (first <= pixels) & (pixels < first + window)


def _with_axes(outputs: object, axes: int) -> list[Tensor]:
    """The outputs with this number of axes, in order."""
    found = [tensor for tensor in _tensors(outputs) if tensor.dim() == axes]
    if not found:
        shapes = [list(tensor.shape) for tensor in _tensors(outputs)]
        raise ValueError(f"none of the outputs has {axes} axes; their shapes: {shapes}")
    return found


def _tensors(outputs: object) -> Iterator[Tensor]:
    if isinstance(outputs, Tensor):
        yield outputs
    elif isinstance(outputs, (tuple, list)):
        for output in outputs:
            yield from _tensors(output)


def _replaced(outputs: object, old: Tensor, new: Tensor) -> object:
    """The outputs of a layer with another tensor in place of one of them."""
    if outputs is old:
        return new
    if isinstance(outputs, (tuple, list)):
        return type(outputs)([_replaced(output, old, new) for output in outputs])
    return outputs


@contextmanager
def _in_inference(module: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
