"""Build hostile specs, each in a separate process; print one line of JSON for each.

Run by `test_building.py`. A spec that crashes its process, or takes too long, has a `fault`.
"""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import resource
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from specs_building import CASES

from archspec.analysis.bounded import bounded
from archspec.analysis.counting import count
from archspec.analysis.memory import activation_memory
from archspec.analysis.operations import operations
from archspec.cli.check import examine
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Severity
from archspec.graph.compiled import Compiled
from archspec.network import TARGETS, Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec.targets.preflight import is_reserved

MOST_WEIGHTS, MOST_OPS, MOST_BYTES = 1_000_000, 5_000, 50_000_000
"""Limits for networks that are run: elements, ops and activations of a forward pass."""

MEMORY = 6_000_000_000
SECONDS = 150
"""Limits of a build."""

WARM = (
    "network warm {\n  input x: f32[B = 1, 4, H = 8, W = 8]\n  output x -> conv(4, 3) -> relu\n}\n"
)


def _result(name: str) -> dict[str, Any]:
    source = Source("hostile.arch", CASES[name][1])
    found = examine(source, None).diagnostics
    assert all(item.severity is not Severity.ERROR for item in found), "`check` does not take it"
    try:
        network = Network(load_network(source, reserved=is_reserved)[0])
    except CompileFailed as failure:  # there may be several networks
        if failure.diagnostics[0].code != "E0701":
            raise
        return {"warned": [], "ended": {}}
    warned = sorted({item.code for item in found})
    with tempfile.TemporaryDirectory() as folder:
        ended = _build(network, Path(folder), {"E0824"} <= {*warned})
        if not any(ended.values()):
            _try_out(network, Path(folder))
    return {"warned": warned, "ended": ended}


def _build(network: Network, folder: Path, apart: bool) -> dict[str, str]:
    """The error code of each target; none if it was built."""
    ended = {}
    for targets in [(name,) for name in TARGETS] if apart else [TARGETS]:
        place = folder / targets[0] if apart else folder
        try:
            files = network.build(place, targets)
        except CompileFailed as failure:
            ended.update(dict.fromkeys(targets, failure.diagnostics[0].code))
            assert not place.is_dir() or not any(place.iterdir()), "something is left behind"
        else:
            ended.update(dict.fromkeys(targets, ""))
            assert sorted(place.iterdir()) == sorted(files)
    return ended


def _try_out(network: Network, folder: Path) -> None:
    """Import the source, load the file, copy the module, and run all of them if that is fast."""
    space: dict[str, Any] = {"__name__": network.name}
    text = (folder / f"{network.name}.py").read_text(encoding="utf-8")
    exec(compile(text, "net.py", "exec", dont_inherit=True), space)
    made_here = [item for item in space.values() if getattr(item, "__module__", "") == network.name]
    script = torch.jit.load(folder / f"{network.name}.torchscript.pt")
    module = network.to_torch(device="meta" if _is_large(network.compiled) else None)
    names = list(module.state_dict())
    assert list(script.state_dict()) == names
    for other in _copies(module):
        assert list(other.state_dict()) == names
    assert repr(module)
    if _is_large(network.compiled):
        return
    torch.manual_seed(0)
    written = made_here[-1]()
    given = [
        _example(node.types[0], network.compiled) for node in network.compiled.inference.inputs
    ]
    results = []
    for made in (module, written, script, copy.deepcopy(module)):
        torch.manual_seed(0)
        with torch.no_grad():
            results.append(_tensors(made.eval()(*given)))
    for result in results[1:]:
        torch.testing.assert_close(result, results[0], equal_nan=True)


def _copies(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    yield copy.deepcopy(module)
    yield pickle.loads(pickle.dumps(module))
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    yield torch.load(file, weights_only=False)


def _is_large(network: Compiled) -> bool:
    sizes, graph = network.sizes, network.inference
    counts = count(network)
    if counts.parameters + counts.buffers > MOST_WEIGHTS:
        return True
    try:
        return bounded(
            network,
            lambda: (
                operations(graph).evaluate(sizes) > MOST_OPS
                or activation_memory(graph).evaluate(sizes) > MOST_BYTES
            ),
        )
    except CompileFailed:
        return True


def _example(kind: Any, network: Compiled) -> torch.Tensor:
    shape = [size.evaluate(network.sizes) for size in kind.shape]
    return torch.randn(shape) if kind.dtype == "f32" else torch.zeros(shape, dtype=torch.int64)


def _tensors(value: Any) -> list[torch.Tensor]:
    """The tensors of a result; tuples may be nested hundreds deep."""
    found, open_ = [], [value]
    while open_:
        item = open_.pop()
        if isinstance(item, torch.Tensor):
            found.append(item)
        elif item is not None:
            open_ += reversed(item)
    return found


def _apart(name: str) -> dict[str, Any]:
    """The result from a separate process, with everything imported that is imported here."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            result = _result(name)
        except BaseException:
            result = {"fault": traceback.format_exc()[-3000:]}
        with os.fdopen(write, "w") as file:
            json.dump({"name": name, "seconds": sum(os.times()[:4]), **result}, file)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    found: dict[str, Any] = (
        json.loads(text) if text else {"name": name, "fault": f"ended, {status}"}
    )
    return found


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    warm = Network(load_network(Source("warm.arch", WARM))[0])
    with tempfile.TemporaryDirectory() as folder:
        warm.build(folder)
    for name in names:
        print(json.dumps(_apart(name)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
