"""What `build --target torch` does. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.graph.compiled import Compiled


class TorchBackend:
    """Writes `NAME.py`, which imports torch only."""

    name = "torch"
    holds_weights = False

    def build(self, network: Compiled, directory: Path, seed: int) -> tuple[Path, ...]:
        """Write the source. It draws its weights itself, and names the seed that gives these."""
        from archspec_torch.source import python_source  # noqa: PLC0415

        text, _ = python_source(network, seed)
        path = directory / f"{network.name}.py"
        path.write_text(text, encoding="utf-8", newline="\n")
        return (path,)

    def module(
        self,
        network: Compiled,
        *,
        device: Any = None,
        dtype: Any = None,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
    ) -> Any:
        """The network as a live `nn.Module`; see `archspec_torch.module.to_module`.

        A dtype may be named (`"bfloat16"`). `weights` is a state dict that fits exactly. Raises
        ValueError for a dtype that is none of torch's floating types.
        """
        import torch  # noqa: PLC0415

        from archspec_torch.module import to_module  # noqa: PLC0415

        kind = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
        if dtype is not None and not (isinstance(kind, torch.dtype) and kind.is_floating_point):
            raise ValueError(f"`{dtype}` is not a floating type of torch")
        made = to_module(network, seed, device, kind)
        if weights is not None:
            made.load_state_dict(weights, strict=True)
        return made

    def unsupported(self, network: Compiled) -> Mapping[str, str]:
        """Ops that it cannot lower, with the reason."""
        from archspec_torch.check import unsupported_ops  # noqa: PLC0415

        return unsupported_ops(network)


BACKEND = TorchBackend()
