"""The backend for `build --target torch`. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.options import Options
from archspec.targets.base import BuildRequest, LiveBackend
from archspec.targets.weights import EVERYTHING, Given, Taking, Weights, WeightStore
from archspec_torch.memory import memory_errors

if TYPE_CHECKING:
    from archspec.diagnostics.model import Diagnostic
    from archspec.graph.compiled import Compiled
    from archspec.passes.folding.fold import Folding
    from archspec.targets.base import Uncovered


class TorchBackend(LiveBackend, WeightStore):
    """Writes `NAME.py`, which imports only torch, and given weights as `NAME.weights.pt`."""

    name = "torch"
    options: type[Options] = Options
    holds_weights = False

    def build(self, request: BuildRequest) -> tuple[Path, ...]:
        """Write the source.

        The source initialises its weights itself, and its docstring names the seed of the build.
        Given weights are written next to it, as a state dict without wrappers, whose file the
        docstring names.
        """
        from archspec_torch.source import first_weights, python_source  # noqa: PLC0415

        network, weights = request.network, request.weights
        text, _ = python_source(network, first_weights(network, request.seed, weights))
        path = request.directory / f"{network.name}.py"
        path.write_bytes(text.encode())
        if weights is None:
            return (path,)
        from archspec_torch.weights.checkpoint import save  # noqa: PLC0415

        values = request.directory / f"{network.name}.weights.pt"
        with memory_errors():
            save(weights, values)
        return path, values

    def module(
        self,
        network: Compiled,
        *,
        device: Any = None,
        dtype: Any = None,
        seed: int = 0,
        weights: Weights | None = None,
    ) -> Any:
        """The network as a live `nn.Module`; see `archspec_torch.module.to_module`.

        A dtype may be a string (`"bfloat16"`). Raises ValueError for a dtype that is not a floating
        type of torch.
        """
        import torch  # noqa: PLC0415

        from archspec_torch.module import to_module  # noqa: PLC0415

        kind = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
        if dtype is not None and not (isinstance(kind, torch.dtype) and kind.is_floating_point):
            raise ValueError(f"`{dtype}` is not a floating type of torch")
        with memory_errors():
            return to_module(network, seed, device, kind, weights)

    def read_weights(
        self,
        network: Compiled,
        given: Given,
        *,
        whole: Compiled | None = None,
        names_only: bool = False,
        folding: Folding | None = None,
        taking: Taking = EVERYTHING,
    ) -> Weights:
        """The weights in a file or a state dict; see `archspec_torch.fit.fit`.

        With the `folding` that created the network, weights of the original network are folded.
        """
        from archspec_torch.weights.checkpoint import candidates  # noqa: PLC0415
        from archspec_torch.weights.selection import fitting  # noqa: PLC0415

        found = candidates(given, taking)
        if folding is not None:
            from archspec_torch.weights.folding import fit_folded  # noqa: PLC0415

            return fitting(found, lambda one: fit_folded(folding, one, whole, names_only))
        from archspec_torch.weights.fit import fit  # noqa: PLC0415

        return fitting(found, lambda one: fit(network, one, whole, names_only))

    def first_folded(self, folding: Folding, seed: int) -> Weights:
        """The initial weights of the original network, folded."""
        from archspec_torch.module import to_module  # noqa: PLC0415
        from archspec_torch.weights.folding import folded_weights  # noqa: PLC0415

        with memory_errors():
            first = Weights(to_module(folding.whole, seed).state_dict(), f"seed {seed}")
            return folded_weights(folding, first)

    def keeps(self, name: str) -> bool:
        """Whether `nn.Module` uses the name itself."""
        from archspec_torch.reserved import is_module_name  # noqa: PLC0415

        return is_module_name(name)

    def faults(self, network: Compiled) -> tuple[Diagnostic, ...]:
        """The reasons to refuse a network, found without torch."""
        from archspec_torch.checks.faults import foreseen  # noqa: PLC0415

        return foreseen(network)

    def coverage(self, network: Compiled) -> Iterator[Uncovered]:
        """Nodes of ops that have no lowering."""
        from archspec_torch.checks.coverage import uncovered  # noqa: PLC0415

        return uncovered(network)


BACKEND = TorchBackend()
