"""Scripting a network.

torch warns that `torch.jit` is deprecated; that is known, and silenced here and nowhere else.
"""

from __future__ import annotations

import io
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch

from archspec.analysis.bounded import bounded
from archspec.analysis.memory import activation_memory
from archspec.analysis.operations import operations
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.graph.compiled import Compiled
from archspec.graph.model import Node
from archspec.targets.weights import Weights
from archspec_torch.code.dtypes import TORCH_TYPES
from archspec_torch.module import to_module
from archspec_torchscript.check import require_loadable

MOST_TRIED = 20_000
"""Maximum number of ops that are run to try out a file: some seconds."""

MOST_BYTES = 2**60
"""Maximum bytes of all activations of a file that is run; torch counts bytes in 63 bits."""

ORIGIN = "weights.txt"
"""Name of the extra file in the archive with the origin of the weights."""

FINALS = re.compile(rb"(?:^  \w+ : Final\[.*\n){2,}", re.MULTILINE)
"""Constants of a class in the text of an archive, in arbitrary order."""

VERSIONS = ("version", ".data/version")
"""Records, one of them in an archive, of the version of its ops: older ones read otherwise."""

OF_THE_WRITER = frozenset({*VERSIONS, ".data/serialization_id"})
"""Records that torch adds to every archive."""


def to_torchscript(
    network: Compiled,
    seed: int = 0,
    module: torch.nn.Module | None = None,
    weights: Weights | None = None,
) -> torch.jit.ScriptModule:
    """The network (or a module made from it, with its weights) as a ScriptModule.

    Raises CompileFailed: E0823 for a name that could be saved but not loaded, E0824 for what
    TorchScript does not compile.
    """
    require_loadable(network)
    with _quiet():
        source = module if module is not None else to_module(network, seed, weights=weights)
        try:
            scripted: torch.jit.ScriptModule = torch.jit.script(source)
        except RuntimeError as fault:
            raise _failed(network, "compile", fault) from fault
    return scripted


def save_scripted(
    network: Compiled, path: Path, seed: int = 0, weights: Weights | None = None
) -> None:
    """Script the network and write it to a file, once it has been loaded and run.

    torch's own writer ends the process where the disk is full, so it writes into memory. Raises
    CompileFailed (E0823, E0824), and OSError where the file cannot be written.
    """
    extra = {ORIGIN: weights.origin} if weights is not None else {}
    with _interruptible(), _quiet():
        scripted = to_torchscript(network, seed, weights=weights)
        data = in_order(scripted.save_to_buffer(_extra_files=extra))
        try_out(network, data)
    path.write_bytes(data)


def in_order(data: bytes) -> bytes:
    """The same archive with the constants of each class in the order of their names.

    torch keeps them in a set of texts, whose order is another in each process.
    """
    reader, written = torch._C.PyTorchFileReader(io.BytesIO(data)), io.BytesIO()
    writer = torch._C.PyTorchFileWriter(written)
    for name in reader.get_all_records():
        if name in VERSIONS:
            writer.set_min_version(int(reader.get_record(name)))
        if name in OF_THE_WRITER:
            continue
        record = reader.get_record(name)
        if name.startswith("code/") and name.endswith(".py"):
            record = FINALS.sub(lambda found: b"".join(sorted(found[0].splitlines(True))), record)
        writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    return written.getvalue()


def is_bounded(network: Compiled) -> bool:
    """Whether a forward pass at the reported sizes ends soon, with tensors that torch can have.

    One whose costs cannot be computed for symbolic sizes is not.
    """
    graph, sizes = network.inference, network.sizes
    try:
        return bounded(
            network,
            lambda: (
                operations(graph).evaluate(sizes) <= MOST_TRIED
                and activation_memory(graph).evaluate(sizes) <= MOST_BYTES
            ),
        )
    except CompileFailed:
        return False


def try_out(network: Compiled, data: bytes) -> None:
    """Load a file and run it once in inference, without values and so without time or memory.

    A network whose forward pass is not bounded is loaded only. Raises CompileFailed (E0824) where
    TorchScript does not read or run what it wrote.
    """
    graph = network.inference
    try:
        with _quiet(), torch.no_grad():
            read: Callable[..., torch.nn.Module] = torch.jit.load
            loaded = read(io.BytesIO(data), map_location="meta").eval()
            if is_bounded(network):
                loaded(*(_example(port, network.sizes) for port in graph.inputs))
    except RuntimeError as fault:
        raise _failed(network, "read or run what it wrote of", fault) from fault


def _failed(network: Compiled, what: str, fault: RuntimeError) -> CompileFailed:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    message = f"TorchScript does not {what} `{network.name}`"
    notes = [f"it says: {lines[0]}"] if lines else []
    fix = "build with `--target torch` only, and please report it"
    place = network.inference.origin.span
    return CompileFailed([diagnostic("E0824", message, place, notes=notes, fix=fix)])


def _example(node: Node, sizes: Mapping[str, int]) -> torch.Tensor:
    """An input of the default sizes, without values."""
    (kind,) = node.types
    shape = [size.evaluate(sizes) for size in kind.shape]
    dtype = getattr(torch, TORCH_TYPES.get(kind.dtype, "torch.float32").partition(".")[2])
    return torch.empty(shape, dtype=dtype, device="meta")


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", message=r".*torch\.jit", category=category)
        yield


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt by the user end the body like other code.

    TorchScript turns an exception of a signal handler into a RuntimeError while it runs a module.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    raised = list[BaseException]()

    def remember(number: int, frame: FrameType | None) -> None:
        try:
            before(number, frame)
        except BaseException as interrupt:
            raised.append(interrupt)
            raise

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    except BaseException:
        if not raised:
            raise
    finally:
        signal.signal(signal.SIGINT, before)
    if raised:
        raise raised[0]
