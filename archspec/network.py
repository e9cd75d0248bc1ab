"""A network as users meet it: load it, look at it, ask what it costs, build it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from warnings import warn

from archspec.analysis.bounded import bounded
from archspec.analysis.cost import Report, Signature, inputs_of, outputs_of
from archspec.analysis.cost import report as analyse
from archspec.analysis.counting import count, unused_parameters
from archspec.analysis.depth import depth as depth_of
from archspec.analysis.macs import macs as macs_of
from archspec.analysis.sizes import accepts, require_allowed, valid_sizes
from archspec.arguments import direction_of, levels, requested, whole
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic
from archspec.graph.compiled import Compiled
from archspec.staging import destination
from archspec.types.sizes import ValidSizes

if TYPE_CHECKING:
    import networkx

    from archspec.analysis.base import Finding
    from archspec.options import Request
    from archspec.passes.base import Applied
    from archspec.passes.folding.fold import Folding
    from archspec.targets.weights import Given, Weights

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
    applied: tuple[Applied, ...] = ()
    """The passes that made it from what the spec says, in the order in which they ran."""

    @property
    def name(self) -> str:
        """Name of the network or preset."""
        return self.compiled.name

    @property
    def whole(self) -> Compiled | None:
        """What the spec says, where passes before folding took something away from it."""
        return self.applied[0].before if len(self.applied) > (self.folding is not None) else None

    @property
    def folding(self) -> Folding | None:
        """What made it, where norms were folded: that pass runs last."""
        from archspec.passes.folding.fold import Folding  # rarely needed

        last = self.applied[-1].outcome.did if self.applied else None
        return last if isinstance(last, Folding) else None

    @cached_property
    def parameters(self) -> int:
        """Number of elements of all parameters, of both modes together, without buffers."""
        return count(self.compiled).parameters

    @cached_property
    def unused_parameters(self) -> int:
        """Number of elements of the parameters that no output needs, in neither mode."""
        return unused_parameters(self.compiled)

    @cached_property
    def depth(self) -> int:
        """Weight layers on the longest path, in inference at the sizes that the spec reports."""
        return depth_of(self.compiled.inference, self.compiled.sizes).longest

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

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of free dimensions that reports, drawings and builds are made with."""
        return dict(self.compiled.sizes)

    def at(self, **sizes: int) -> Network:
        """The same network, with other sizes for reports, drawings and builds.

        Raises TypeError for a name that is no free dimension and for what is no whole number,
        ValueError for a size that no dimension has.
        """
        chosen = self._sizes(sizes)
        require_allowed(self.compiled.where, chosen)
        return replace(self, compiled=replace(self.compiled, sizes=chosen))

    def macs(self, **sizes: int) -> int:
        """Multiply-accumulates of one forward pass in inference.

        Raises TypeError for a name that is no free dimension and for what is no whole number,
        ValueError for sizes that the network does not take, CompileFailed (E0411) where the
        number is beyond symbolic sizes.
        """
        chosen = self._sizes(sizes)
        require_allowed(self.compiled.where, chosen)
        if not accepts(self.compiled, chosen):
            given = ", ".join(f"{name} = {size}" for name, size in chosen.items())
            raise ValueError(f"{self.name} does not take {given}: valid are {self.valid_sizes}")
        graph = self.compiled.inference
        return bounded(self.compiled, lambda: macs_of(graph)).evaluate(chosen)

    def accepts(self, *, training: bool = False, **sizes: int) -> bool:
        """Whether the network takes these sizes: exactly, by evaluation of what its layers need.

        These are the sizes with which the module runs, but for three: what `where` does not
        allow; a slice that ends behind the end of its axis, which PyTorch cuts off; and sizes of 0
        of dims for which `where` does not say `>= 0`. A tensor on the way may be empty where
        PyTorch takes it.

        Raises TypeError for a name that is no free dimension and for what is no whole number.
        """
        return accepts(self.compiled, self._sizes(sizes), training=training)

    def report(self, *, training: bool = False, depth: int = 1) -> Report:
        """Everything that is known about the network; the table of blocks opened to `depth`.

        In training it is made for the next batch (or other size) that training takes, where it
        does not take the reported one. Raises CompileFailed: E0707 where the network does not take
        the sizes that the spec says, E0411 where its costs are beyond symbolic sizes.
        """
        return analyse(self.compiled, training=training, depth=depth)

    def analyse(self, name: str, *, training: bool = False, **options: object) -> Finding:
        """What an analysis says of one mode: intensity, or an installed one.

        `options` are those of the analysis. Raises CompileFailed: E0912, and those of `report`.
        """
        from archspec.analysis.registry import find  # rarely needed
        from archspec.options import Request

        report = self.report(training=training)
        return find(self.compiled, report, Request(name, options))[1]

    def graph(self, depth: int | None = 1, *, training: bool = False) -> networkx.MultiDiGraph[int]:
        """A copy of the graph, which is a NetworkX graph, with blocks opened to a depth.

        What its attributes are says `archspec.graph.wiring.described`.
        """
        from archspec.graph.described import described  # rarely needed
        from archspec.passes.flatten import flatten

        graph = self.compiled.training if training else self.compiled.inference
        return described(flatten(graph, levels(depth)))

    def draw(
        self,
        path: str | Path,
        depth: int | None = 1,
        *,
        training: bool = False,
        direction: Literal["TB", "LR"] = "TB",
        concrete: bool = False,
    ) -> Path:
        """Draw into a file whose suffix says the format: .svg, .png, .dot or .pdf.

        Data flow from top to bottom or, with "LR", from left to right; with `concrete`, shapes are
        numbers. The file appears whole or not at all. Raises CompileFailed: E0521 for a drawing
        that is too large, E0707 for sizes that the network does not take, E0803 and E081x for a
        file that cannot be written or rendered.
        """
        from archspec.diagram import draw  # only drawing needs graphviz

        return draw(
            self.compiled,
            destination(path),
            levels(depth),
            training=training,
            direction=direction_of(direction),
            concrete=concrete,
        )

    def apply(self, name: str, **options: object) -> Network:
        """What a pass makes of the network: extract, fold, strip, or another one.

        `options` are those of the pass. It runs behind the passes that ran before, unless one of
        those says that it comes later, as folding does. Raises CompileFailed: E0910 for a pass or
        an option that there is not, and what the pass raises.
        """
        from archspec.options import Request  # rarely needed

        return self.with_passes([Request(name, options)])

    def with_passes(self, requests: Sequence[Request]) -> Network:
        """What several passes make of the network, in an order that they allow; see `apply`."""
        if not requests:
            return self
        from archspec.passes.manager import apply  # rarely needed

        first = self.applied[0].before if self.applied else self.compiled
        asked = [*(item.request for item in self.applied), *requests]
        applied = apply(first, asked, self.applied)
        return Network(applied[-1].outcome.network, self.warnings, applied)

    def extract(self, *, column: int, draw: str | None = None) -> Network:
        """The plain network of one column, 1 being the shallowest; weights keep their names.

        Raises CompileFailed: E0901, E0902.
        """
        return self.apply("extract", column=whole("column", column), draw=draw)

    def fold(self) -> Network:
        """The same network for inference, with its batch norms in the layers beside them.

        A LayerScale, a shift and what is added to a convolution of the same input go into layers
        too, across blocks and through pooling. Names of weights stay; a layer may gain a `bias`.
        `to_torch`, `build` and `read_weights` take weights of the network as it was, and fold
        them; without any they fold its first ones. It has no other form for training.
        """
        return self if self.folding is not None else self.apply("fold")

    def to_torch(
        self,
        device: object = None,
        dtype: object = None,
        seed: int = 0,
        weights: Given | Weights | None = None,
        **taking: Any,
    ) -> Any:
        """The network as a `torch.nn.Module`.

        `device` and `dtype` are those of torch (a dtype may also be named: "bfloat16"). `seed`
        decides the initial weights, unless `weights` are given: a file (`.safetensors`, or what
        `torch.save` wrote) or a state dict, with a tensor for every name, and none besides. An
        extracted column also takes those of the whole network. They are converted to the dtype
        of the module. On device "meta" no memory is taken, and only their names and shapes count.

        `entry`, `ignore` and `rename` are those of `read_weights`.

        Raises CompileFailed: E0520, E0801, E0802, and E0840 to E0842 for weights. Warns when a
        wrapper or a prefix (`module.`) was taken off to make them fit.
        """
        from archspec.targets.building import live_module

        start = whole("seed", seed)
        values = self._weights(weights, start, taking, names_only=str(device) == "meta")
        return live_module(self.compiled, device=device, dtype=dtype, seed=start, weights=values)

    def build(
        self,
        directory: str | Path,
        targets: str | Sequence[str] | Mapping[str, Mapping[str, object]] = TARGETS,
        seed: int = 0,
        weights: Given | Weights | None = None,
        **taking: Any,
    ) -> tuple[Path, ...]:
        """Write the artefacts of the targets, a diagram and a report; the files written.

        `targets` may give each target values for its options: `{"mine": {"opset": 18}}`.
        Where the network is too large to be drawn there is no diagram, and the report says so, as
        where its costs are beyond symbolic sizes. `weights` are as for `to_torch`; what is written
        says where they come from. Where something fails, or the user interrupts, the directory is
        as it was. Raises CompileFailed: E0803 where a file cannot be written, E0707, and those of
        the targets.
        """
        chosen = requested(targets)
        start, place = whole("seed", seed), destination(directory)
        from archspec.analysis.markdown import markdown, without_costs
        from archspec.diagram import illustration
        from archspec.staging import staged
        from archspec.targets.building import build_targets

        report, values = self._reported(), self._weights(weights, start, taking)
        with staged(place) as (folder, files):
            build_targets(self.compiled, folder, chosen, start, values)
            picture, undrawn = illustration(self.compiled)
            if picture is not None:
                (folder / f"{self.name}.svg").write_bytes(picture)
            origin = values.origin if values else ""
            text = (
                without_costs(self.name, report, origin, undrawn)
                if isinstance(report, str)
                else markdown(report, self.training_sizes, origin, undrawn)
            )
            (folder / f"{self.name}.report.md").write_bytes(text.encode())
        return tuple(files)

    def _reported(self) -> Report | str:
        """The report, or in words why its costs are not known."""
        try:
            return self.report()
        except CompileFailed as failure:
            found = failure.diagnostics[0]
            if found.code != "E0411":
                raise
            return found.message

    def read_weights(
        self,
        given: Given,
        *,
        names_only: bool = False,
        entry: str | None = None,
        ignore: str | Sequence[str] = (),
        rename: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> Weights:
        """The weights in a file or state dict, once they are found to fit, without a module.

        `entry` says which entry of the file they are, or what their names begin with, where there
        are several that may be meant: "model_ema", "ema.state_dict". Names that are as a pattern
        of `ignore` says, "criterion.*", are left out. `rename` gives names another beginning,
        {"backbone": "body"}; where it has `*`, this stands for the same text on both sides:
        {"*.gamma": "*.weight"}. An empty side takes a beginning off, {"backbone": ""}, or puts one
        on, {"": "body"}. What was done is said in `liberties`.

        Raises CompileFailed: E0840, E0841, E0842; TypeError for what is no text, ValueError for
        what can do nothing, such as an empty pattern.
        """
        from archspec.targets.registry import importing, weight_store
        from archspec.targets.weight_options import taking

        store = weight_store()
        with importing(store.name):
            return store.read_weights(
                self.compiled,
                given,
                whole=self.whole,
                names_only=names_only,
                folding=self.folding,
                taking=taking(entry, ignore, rename),
            )

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.parameters:,} parameters>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What Jupyter shows: the diagram and the table of blocks."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        from archspec.diagram.html import html  # only notebooks need it

        return html(self.compiled)

    def _weights(
        self,
        given: Given | Weights | None,
        seed: int,
        taking: Mapping[str, Any],
        names_only: bool = False,
    ) -> Weights | None:
        from archspec.targets.weights import Weights

        unknown = taking.keys() - {"entry", "ignore", "rename"}
        if unknown:
            raise TypeError(f"there is no keyword argument {min(unknown)!r}")
        if taking and (given is None or isinstance(given, Weights)):
            raise TypeError(f"{min(taking)!r} says what to take of weights, and none are read")
        if given is None and self.folding is not None and not names_only:
            from archspec.targets.building import first_folded

            return first_folded(self.folding, seed)
        if given is None or isinstance(given, Weights):
            return given
        found = self.read_weights(given, names_only=names_only, **taking)
        if found.liberties:
            warn(f"the weights of {self.name} are from {found.origin}", stacklevel=3)
        return found

    def _sizes(self, given: Mapping[str, int]) -> Mapping[str, int]:
        known = self.compiled.sizes
        for name in given:
            if name not in known:
                free = ", ".join(known) or "none"
                raise TypeError(f"{self.name} has no free dimension `{name}`; there are: {free}")
        return {**known, **{name: whole(name, size) for name, size in given.items()}}
