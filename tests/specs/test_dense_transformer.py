"""Dense transformer networks: the spline, sampling at its positions, and the inverse of that."""

import itertools

import pytest
import torch
from torch import Tensor

from archspec.loading import load
from tests.specs.compiled import shipped


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """`sample` and `put_back` as networks of a map and of positions in pixels."""
    path = tmp_path_factory.mktemp("spec") / "net.arch"
    inputs = "input map: f32[B = 1, 2, 5, 6], x: f32[B, 30], y: f32[B, 30]"
    path.write_text(
        "use dense_transformer { put_back, sample }\n"
        f"network sampled {{\n  {inputs}\n  output found = (map, x, y) -> sample\n}}\n"
        f"network returned {{\n  {inputs}\n  output found = (map, x, y) -> put_back\n}}\n",
        encoding="utf-8",
    )
    return {name: load(path, name).to_torch() for name in ("sampled", "returned")}


def drawn() -> tuple[Tensor, Tensor, Tensor]:
    """A map and positions, some of them outside, some together in one cell."""
    torch.manual_seed(0)
    x, y = torch.rand(2, 30) * 8 - 1, torch.rand(2, 30) * 7 - 1
    x[:, :4], y[:, :4] = torch.tensor([2.2, 2.4, 2.9, 2.0]), torch.tensor([3.1, 3.5, 3.0, 3.7])
    return torch.randn(2, 2, 5, 6), x, y


def corners(x: float, y: float) -> list[tuple[int, int, float, float]]:
    """Column, row and the two distances of each corner of the cell around a position."""
    columns = [min(max(int(torch.tensor(x).floor()) + i, 0), 5) for i in (0, 1)]
    rows = [min(max(int(torch.tensor(y).floor()) + i, 0), 4) for i in (0, 1)]
    across, down = (columns[1] - x, x - columns[0]), (rows[1] - y, y - rows[0])
    return [(columns[i], rows[j], across[i], down[j]) for j in (0, 1) for i in (0, 1)]


def test_values_are_interpolated_with_weights_that_are_not_cut_off_outside(parts):
    image, x, y = drawn()
    wanted = torch.zeros(2, 2, 30)
    for b, n in itertools.product(range(2), range(30)):
        for column, row, across, down in corners(float(x[b, n]), float(y[b, n])):
            wanted[b, :, n] += across * down * image[b, :, row, column]
    found = parts["sampled"](image, x, y)
    torch.testing.assert_close(found.flatten(2), wanted, rtol=1e-4, atol=1e-4)


def test_values_go_back_to_their_cells_by_the_product_of_two_sums(parts):
    image, x, y = drawn()
    flat = image.flatten(2)
    weights, values = torch.zeros(4, 2, 30), torch.zeros(4, 2, 2, 30)
    for b, n in itertools.product(range(2), range(30)):
        for k, corner in enumerate(corners(float(x[b, n]), float(y[b, n]))):
            column, row, across, down = corner
            near = [abs(d) if abs(d) <= 1 else 0.0 for d in (across, down)]
            weights[k, b, row * 6 + column] += near[0] * near[1]
            values[k, b, :, row * 6 + column] += flat[b, :, n]
    total = weights.sum(0)
    wanted = (weights.unsqueeze(2) * values).sum(0) / total.clamp(min=1e-5).unsqueeze(1)
    wanted = wanted + flat * (total <= 1e-5).unsqueeze(1)
    assert (total <= 1e-5).any()
    found = parts["returned"](image, x, y)
    torch.testing.assert_close(found.flatten(2), wanted, rtol=1e-4, atol=1e-4)


def test_values_of_different_cells_come_back_as_they_were(parts):
    image, _, _ = drawn()
    rows, columns = torch.meshgrid(torch.arange(5.0), torch.arange(6.0), indexing="ij")
    x, y = columns.flatten().expand(2, 30), rows.flatten().expand(2, 30)
    torch.testing.assert_close(parts["returned"](image, x, y), image)


def transposed(module: torch.nn.Module, positions: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    """The transpose of sampling at the positions, applied to y: it is linear in the map."""
    image = torch.zeros(y.shape, requires_grad=True)
    (found,) = torch.autograd.grad((module(image, *positions) * y).sum(), image)
    return found


def test_gradients_of_sampling_are_its_adjoint_by_inner_products(parts):
    image, *positions = drawn()
    y = torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    one = (parts["sampled"](image, *positions) * y).sum()
    torch.testing.assert_close(one, (image * transposed(parts["sampled"], positions, y)).sum())
    assert one.abs() > 1


def test_the_inverse_is_the_adjoint_of_sampling_over_its_weights_where_cells_differ(parts):
    """Positions in 20 different cells, and 10 without weights far outside, whose values are 0."""
    image, _, _ = drawn()
    generator = torch.Generator().manual_seed(2)
    rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(5.0), indexing="ij")
    far = torch.full((2, 10), -9.0)
    x, y = (
        torch.cat([cell.flatten() + torch.rand(2, 20, generator=generator), far], 1)
        for cell in (columns, rows)
    )
    counts = torch.cat([torch.ones(20), torch.zeros(10)]).reshape(5, 6).expand(2, 2, 5, 6)
    values = torch.randn(image.shape, generator=generator) * counts
    total = transposed(parts["sampled"], (x, y), counts)
    reached = total > 1e-5
    assert reached.all()
    adjoint = total * parts["returned"](values, x, y)
    torch.testing.assert_close(adjoint, transposed(parts["sampled"], (x, y), values))
    one = (parts["sampled"](image, x, y) * values).sum()
    torch.testing.assert_close(one, (image * adjoint).sum())


def test_the_decoder_reads_the_positions_of_the_encoder():
    network = shipped("dtn_unet", first=2, depth=3, at=1, points=2, size=16, classes=3)
    module = network.to_torch().eval()
    owners = {name for name, _ in module.named_parameters() if "loc" in name}
    assert len(owners) == 4
    line = torch.tensor([-5.0, 5.0]).tanh()
    targets = torch.stack([line.repeat(2), line.repeat_interleave(2)], 1)
    seen = []
    place = module.get_submodule("localisation")
    place.register_forward_hook(lambda *given: seen.append(given[2]))
    image = torch.randn(2, 3, 16, 16)
    module(image)
    (positions,) = seen
    axis = torch.linspace(-1, 1, 8)
    # with four control points at the corners, the spline through them is linear: a scaled grid
    wanted = (axis * targets[1, 0] + 1) * 4
    torch.testing.assert_close(positions[0][0].reshape(8, 8)[3], wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(positions[1][0].reshape(8, 8)[:, 3], wanted, rtol=1e-4, atol=1e-4)
    module.train()
    module(image).square().mean().backward()
    assert all(w.grad is not None for name, w in module.named_parameters())
    assert place.b_fc_loc2.grad.abs().max() > 0
