"""The backend for `build --target torchscript`. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archspec.options import Options
from archspec.targets.base import Backend, BuildRequest

if TYPE_CHECKING:
    from archspec.diagnostics.model import Diagnostic
    from archspec.graph.compiled import Compiled
    from archspec.targets.base import Uncovered


class TorchScriptBackend(Backend):
    """Writes `NAME.torchscript.pt`, with given weights or initial ones decided by the seed."""

    name = "torchscript"
    options: type[Options] = Options
    holds_weights = True

    def build(self, request: BuildRequest) -> tuple[Path, ...]:
        """Script the module of the torch backend, in training mode, and save it.

        `train()` and `eval()` of the loaded module work as on the module itself. The origin
        of its weights is in the archive, in the extra file `weights.txt`.
        """
        from archspec_torch.memory import memory_errors  # noqa: PLC0415
        from archspec_torchscript.script import save_scripted  # noqa: PLC0415

        path = request.directory / f"{request.network.name}.torchscript.pt"
        with memory_errors():
            save_scripted(request.network, path, request.seed, request.weights)
        return (path,)

    def keeps(self, name: str) -> bool:
        """Whether a saved module cannot have a part with this name."""
        from archspec_torch.reserved import is_module_name  # noqa: PLC0415
        from archspec_torchscript.reserved import is_unreadable  # noqa: PLC0415

        return is_module_name(name) or is_unreadable(name)

    def faults(self, network: Compiled) -> tuple[Diagnostic, ...]:
        """The reasons to refuse a network, in addition to those of the torch backend."""
        from archspec_torchscript.check import foreseen  # noqa: PLC0415

        return foreseen(network)

    def coverage(self, network: Compiled) -> Iterator[Uncovered]:
        """Nodes of ops that it cannot lower: those of the torch backend."""
        from archspec_torch.checks.coverage import uncovered  # noqa: PLC0415

        return uncovered(network)


BACKEND = TorchScriptBackend()
