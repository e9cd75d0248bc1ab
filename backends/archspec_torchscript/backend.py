"""What `build --target torchscript` does. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.diagnostics.model import Diagnostic
    from archspec.graph.compiled import Compiled
    from archspec.targets.base import Weights


class TorchScriptBackend:
    """Writes `NAME.torchscript.pt`, with given weights or initial ones decided by the seed."""

    name = "torchscript"
    holds_weights = True

    def build(
        self, network: Compiled, directory: Path, seed: int, weights: Weights | None = None
    ) -> tuple[Path, ...]:
        """Script the module of the torch backend, in training mode, and save it.

        `train()` and `eval()` of the loaded module work as on the module itself. Where its weights
        come from stands in the archive, as the extra file `weights.txt`.
        """
        from archspec_torchscript.script import save_scripted  # noqa: PLC0415

        path = directory / f"{network.name}.torchscript.pt"
        save_scripted(network, path, seed, weights)
        return (path,)

    def keeps(self, name: str) -> bool:
        """Whether a saved module cannot have a part of this name."""
        from archspec_torch.reserved import is_module_name  # noqa: PLC0415
        from archspec_torchscript.reserved import is_unreadable  # noqa: PLC0415

        return is_module_name(name) or is_unreadable(name)

    def faults(self, network: Compiled) -> tuple[Diagnostic, ...]:
        """What `build` refuses beside what the torch backend says, which comes along."""
        from archspec_torchscript.check import foreseen  # noqa: PLC0415

        return foreseen(network)

    def unsupported(self, network: Compiled) -> Mapping[str, str]:
        """Ops that it cannot lower: those of the torch backend."""
        from archspec_torch.check import unsupported_ops  # noqa: PLC0415

        return unsupported_ops(network)


BACKEND = TorchScriptBackend()
