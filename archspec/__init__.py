"""archspec: a declarative language and compiler for neural-network architectures.

    import archspec

    net = archspec.load("specs/resnet.arch", "resnet50", classes=10)
    net.parameters, net.macs(H=224, W=224), net.valid_sizes
    model = net.to_torch()

Importing the package loads nothing; the names below are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.diagnostics.failure import CompileFailed
    from archspec.diagnostics.model import Diagnostic
    from archspec.loading import load
    from archspec.network import Network

__all__ = ["CompileFailed", "Diagnostic", "Network", "__version__", "load"]

_HOMES = {
    "CompileFailed": "archspec.diagnostics.failure",
    "Diagnostic": "archspec.diagnostics.model",
    "Network": "archspec.network",
    "load": "archspec.loading",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _HOMES:
        from importlib import import_module

        _require_own_environment()

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'archspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _require_own_environment() -> None:
    """Raise ImportError if Spack's `archspec` is installed in the same environment.

    Importing the package alone does not call this: it would break tools that use the other one.
    """
    from archspec.namesake import ADVICE, conflict

    reason = conflict()
    if reason is not None:
        raise ImportError(f"{reason}; {ADVICE}")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("archspec-nn")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"
