"""A network as users meet it: load it, look at it, ask what it costs, build it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.analysis.cost import Report, Signature, inputs_of, outputs_of
from archspec.analysis.cost import report as analyse
from archspec.analysis.counting import count
from archspec.analysis.depth import depth as depth_of
from archspec.analysis.macs import macs as macs_of
from archspec.analysis.sizes import accepts, valid_sizes
from archspec.diagnostics.model import Diagnostic
from archspec.graph.compiled import Compiled
from archspec.types.sizes import ValidSizes

if TYPE_CHECKING:
    import networkx

TARGETS = ("torch", "torchscript")
"""What `build` writes when nothing is said."""


@dataclass(frozen=True, eq=False)
class Network:
    """A compiled network. Nothing here imports torch but `to_torch` and `build`.

    Where sizes of free dimensions are asked for, those not given are the ones that the spec
    reports (the numbers in `H = 224`).
    """

    compiled: Compiled
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def name(self) -> str:
        """Name of the network or preset."""
        return self.compiled.name

    @cached_property
    def parameters(self) -> int:
        """Number of elements of all parameters, of both modes together, without buffers."""
        return count(self.compiled).parameters

    @cached_property
    def depth(self) -> int:
        """Convolution and linear layers on the longest path, in inference."""
        return depth_of(self.compiled.inference).longest

    @property
    def inputs(self) -> tuple[Signature, ...]:
        """Inputs with their types."""
        return inputs_of(self.compiled.inference)

    @property
    def outputs(self) -> tuple[Signature, ...]:
        """Outputs in inference with their types."""
        return outputs_of(self.compiled.inference)

    @cached_property
    def valid_sizes(self) -> ValidSizes:
        """The sizes that the network takes in inference."""
        return valid_sizes(self.compiled)

    @cached_property
    def training_sizes(self) -> ValidSizes:
        """The sizes that the network takes in training."""
        return valid_sizes(self.compiled, training=True)

    def macs(self, **sizes: int) -> int:
        """Multiply-accumulates of one forward pass in inference.

        Raises TypeError for a name that is no free dimension, ValueError for sizes that the
        network does not take.
        """
        chosen = self._sizes(sizes)
        if not accepts(self.compiled, chosen):
            given = ", ".join(f"{name} = {size}" for name, size in chosen.items())
            raise ValueError(f"{self.name} does not take {given}: valid are {self.valid_sizes}")
        return macs_of(self.compiled.inference).evaluate(chosen)

    def accepts(self, *, training: bool = False, **sizes: int) -> bool:
        """Whether the network takes these sizes. Raises TypeError for an unknown name."""
        return accepts(self.compiled, self._sizes(sizes), training=training)

    def report(self, *, training: bool = False, depth: int = 1) -> Report:
        """Everything that is known about the network; the table of blocks opened to `depth`."""
        return analyse(self.compiled, training=training, depth=depth)

    def graph(self, depth: int | None = 1, *, training: bool = False) -> networkx.MultiDiGraph[int]:
        """The network as a NetworkX graph, opened to a depth; see `archspec.passes.flatten`."""
        from archspec.passes.flatten import flatten  # networkx is slow to import

        return flatten(self._mode(training), depth)

    def draw(self, path: str | Path, depth: int | None = 1, *, training: bool = False) -> Path:
        """Draw into a file whose suffix says the format: .svg, .png, .dot or .pdf.

        Raises CompileFailed: E0521 where the drawing would be too large, E0810 and on where it
        cannot be rendered.
        """
        from archspec.diagram import draw  # only drawing needs graphviz

        return draw(self.compiled, Path(path), depth, training=training)

    def extract(self, *, column: int, draw: str | None = None) -> Network:
        """The plain network of one column, 1 being the shallowest; weights keep their names.

        Raises CompileFailed: E0901, E0902.
        """
        from archspec.passes.extract import extract  # rarely needed

        return Network(extract(self.compiled, column, draw), self.warnings)

    def to_torch(
        self,
        device: Any = None,
        dtype: Any = None,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
    ) -> Any:
        """The network as a `torch.nn.Module`.

        `device` and `dtype` are those of torch (a dtype may also be named: "bfloat16"). `seed`
        decides the initial weights, unless `weights`, a state dict, is given. On device "meta"
        no memory is taken. Raises CompileFailed: E0520, E0801, E0802.
        """
        from archspec.targets.building import live_module

        return live_module(self.compiled, device=device, dtype=dtype, seed=seed, weights=weights)

    def build(
        self, directory: str | Path, targets: Sequence[str] = TARGETS, seed: int = 0
    ) -> tuple[Path, ...]:
        """Write the artefacts of the targets, a diagram and a report; the files written.

        Nothing is written where something fails. Raises CompileFailed.
        """
        from archspec.analysis.markdown import markdown
        from archspec.diagram import draw
        from archspec.targets.building import build_targets, staged

        with staged(Path(directory)) as (folder, files):
            build_targets(self.compiled, folder, targets, seed)
            draw(self.compiled, folder / f"{self.name}.svg")
            text = markdown(self.report(), self.training_sizes)
            (folder / f"{self.name}.report.md").write_bytes(text.encode())
        return tuple(files)

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.parameters:,} parameters>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What Jupyter shows: the diagram and the table of blocks."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        from archspec.diagram.html import html  # only notebooks need it

        return html(self.compiled)

    def _mode(self, training: bool) -> Any:
        return self.compiled.training if training else self.compiled.inference

    def _sizes(self, given: Mapping[str, int]) -> Mapping[str, int]:
        known = self.compiled.sizes
        for name in given:
            if name not in known:
                free = ", ".join(known) or "none"
                raise TypeError(f"{self.name} has no free dimension `{name}`; there are: {free}")
        return {**known, **given}


def load(file: str | Path, name: str | None = None, **parameters: Any) -> Network:
    """Compile a network from a file.

    `name` chooses a network or preset where the file has several; `parameters` are its
    parameters. The name of a shipped network (`"resnet50"`) may stand for the file. Raises
    CompileFailed, whose `diagnostics` say what is wrong with the spec.
    """
    from archspec.semantics.compile import load_network

    path = Path(file)
    if name is None and not path.suffix and not path.exists():
        from archspec import shipped

        found = shipped.networks().get(str(file))
        if found is not None:
            path, name = found, str(file)
    compiled, sink = load_network(path, name, parameters)
    return Network(compiled, sink.diagnostics)
