"""The public API of a network: inspect it, compute its costs, draw it, build it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn
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
"""The default targets of `build`."""


@dataclass(frozen=True, eq=False)
class Network:
    """A compiled network.

    Methods that take sizes of free dimensions use the sizes that the spec reports (`H = 224`) by
    default. Only `to_torch`, `build` and `read_weights`, which need a backend, import torch.
    """

    compiled: Compiled
    warnings: tuple[Diagnostic, ...] = ()
    applied: tuple[Applied, ...] = ()
    """The passes that were applied to the network in the spec, in the order in which they ran."""

    @property
    def name(self) -> str:
        """The name of the network or preset."""
        return self.compiled.name

    @property
    def whole(self) -> Compiled | None:
        """The network in the spec, if passes other than folding were applied; else None."""
        return self.applied[0].before if len(self.applied) > (self.folding is not None) else None

    @property
    def folding(self) -> Folding | None:
        """The folding pass that made the network, which runs last; None if norms are not folded."""
        from archspec.passes.folding.fold import Folding  # rarely needed

        last = self.applied[-1].outcome.did if self.applied else None
        return last if isinstance(last, Folding) else None

    @cached_property
    def parameters(self) -> int:
        """The number of elements of the parameters of both modes together, without buffers."""
        return count(self.compiled).parameters

    @cached_property
    def unused_parameters(self) -> int:
        """The number of elements of the parameters that no output needs in either mode."""
        return unused_parameters(self.compiled)

    @cached_property
    def depth(self) -> int:
        """The number of weight layers on the longest path, in inference at the reported sizes."""
        return depth_of(self.compiled.inference, self.compiled.sizes).longest

    @property
    def inputs(self) -> tuple[Signature, ...]:
        """The inputs with their types."""
        return inputs_of(self.compiled.inference)

    @property
    def outputs(self) -> tuple[Signature, ...]:
        """The outputs in inference with their types."""
        return outputs_of(self.compiled.inference)

    @cached_property
    def valid_sizes(self) -> ValidSizes:
        """The sizes that the network accepts in inference."""
        return valid_sizes(self.compiled)

    @cached_property
    def training_sizes(self) -> ValidSizes:
        """The sizes that the network accepts in training."""
        return valid_sizes(self.compiled, training=True)

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of free dimensions used for reports, drawings and builds."""
        return dict(self.compiled.sizes)

    def at(self, **sizes: int) -> Network:
        """The same network with other sizes for reports, drawings and builds.

        Raises TypeError for a name that is not a free dimension and for a size that is not a whole
        number, ValueError for a size that is not allowed.
        """
        require_allowed(self.compiled.where, chosen := self._sizes(sizes))
        return replace(self, compiled=replace(self.compiled, sizes=chosen))

    def macs(self, **sizes: int) -> int:
        """The number of multiply-accumulates of one forward pass in inference.

        Raises TypeError for a name that is not a free dimension and for a size that is not a whole
        number, ValueError for sizes that the network does not accept, CompileFailed (E0411) if the
        number exceeds the limits of symbolic sizes.
        """
        require_allowed(self.compiled.where, chosen := self._sizes(sizes))
        if not accepts(self.compiled, chosen):
            given = ", ".join(f"{name} = {size}" for name, size in chosen.items())
            raise ValueError(f"{self.name} does not accept {given}; valid: {self.valid_sizes}")
        return bounded(self.compiled, lambda: macs_of(self.compiled.inference)).evaluate(chosen)

    def accepts(self, *, training: bool = False, **sizes: int) -> bool:
        """Whether the network accepts these sizes, by exact evaluation of its layers' conditions.

        These are the sizes with which the PyTorch module runs, with three exceptions: sizes that
        `where` excludes; a slice that ends after the end of its axis, which PyTorch truncates; and
        a size of 0 unless `where` has `>= 0` for it. Intermediate tensors may be empty if PyTorch
        accepts it. Raises TypeError for a name that is not a free dimension and for a size that is
        not a whole number.
        """
        return accepts(self.compiled, self._sizes(sizes), training=training)

    def report(self, *, training: bool = False, depth: int = 1, concrete: bool = False) -> Report:
        """The full analysis of the network; its table of blocks is expanded to `depth`.

        With `concrete`, the shapes in the table are numbers, at the reported sizes.

        If training does not accept the reported sizes, the next larger accepted batch (or other
        size) is used. Raises CompileFailed: E0707 if the network does not accept the reported
        sizes, E0411 if its costs exceed the limits of symbolic sizes.
        """
        return analyse(self.compiled, training=training, depth=depth, concrete=concrete)

    def analyse(self, name: str, *, training: bool = False, **options: object) -> Finding:
        """The result of an analysis (`intensity` or an installed one) for one mode.

        `options` are those of the analysis. Raises CompileFailed: E0912 and those of `report`.
        """
        from archspec.analysis.registry import find  # rarely needed
        from archspec.options import Request

        report = self.report(training=training)
        return find(self.compiled, report, Request(name, options))[1]

    def graph(self, depth: int | None = 1, *, training: bool = False) -> networkx.MultiDiGraph[int]:
        """A copy of the graph as a NetworkX graph, with blocks expanded to a depth.

        `archspec.graph.described.described` documents its attributes.
        """
        from archspec.graph.described import described  # rarely needed
        from archspec.passes.flatten import flatten

        graph = self.compiled.training if training else self.compiled.inference
        return described(flatten(graph, levels(depth)))

    def draw(
        self,
        path: str | Path,
        depth: int | Literal["auto"] | None = "auto",
        *,
        training: bool = False,
        direction: Literal["TB", "LR"] = "TB",
        concrete: bool = False,
    ) -> Path:
        """Draw the network into a file; its suffix selects the format: .svg, .png, .dot or .pdf.

        `depth` levels of blocks are expanded, all for None, by default as many as fit on a page.
        Data flow from top to bottom or, with "LR", from left to right; with `concrete`, shapes are
        numbers. The file is written completely or not at all. Raises CompileFailed: E0521 if it is
        too large, E0707 for invalid sizes, E0803 and E081x if it cannot be written or rendered.
        """
        from archspec.diagram import draw  # only drawing needs graphviz

        return draw(
            self.compiled,
            destination(path),
            depth if depth == "auto" else levels(depth),
            training=training,
            direction=direction_of(direction),
            concrete=concrete,
        )

    def apply(self, name: str, **options: object) -> Network:
        """The network after applying a pass: extract, fold, strip, or another one.

        `options` are the options of the pass. It runs after the passes that were applied before,
        except those that must come later, such as folding. Raises CompileFailed: E0910 for an
        unknown pass or option, and the errors of the pass.
        """
        from archspec.options import Request  # rarely needed

        return self.with_passes([Request(name, options)])

    def with_passes(self, requests: Sequence[Request]) -> Network:
        """The network after applying several passes, in an order that they allow; see `apply`."""
        if not requests:
            return self
        from archspec.passes.manager import apply  # rarely needed

        first = self.applied[0].before if self.applied else self.compiled
        asked = [*(item.request for item in self.applied), *requests]
        applied = apply(first, asked, self.applied)
        return Network(applied[-1].outcome.network, self.warnings, applied)

    def extract(self, *, column: int, draw: str | None = None) -> Network:
        """The network of one column, where 1 is the shallowest; weights keep their names.

        Raises CompileFailed: E0901, E0902.
        """
        return self.apply("extract", column=whole("column", column), draw=draw)

    def fold(self) -> Network:
        """The same network for inference, with batch norms folded into adjacent layers.

        LayerScales, shifts, and branches added to a convolution of the same input are folded too,
        across blocks and through pooling. Weights keep their names; a layer may gain a `bias`.
        `to_torch`, `build` and `read_weights` accept weights of the original network and fold
        them; by default, they fold its initial weights. The result has no training form.
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

        `device` and `dtype` are as in torch (a dtype can also be a name: "bfloat16"). `seed`
        determines the initial weights, unless `weights` are given: a file (`.safetensors`, or
        written by `torch.save`) or a state dict, with exactly one tensor for every name. An
        extracted column also accepts the weights of the whole network. Weights are converted to
        the dtype of the module. On device "meta", the module takes no memory, and only names and
        shapes of weights are checked.

        `entry`, `ignore` and `rename` are as in `read_weights`.

        Raises CompileFailed: E0520, E0801, E0802, and E0840 to E0842 for weights. Warns if a
        wrapper or a prefix (`module.`) was removed to make the weights fit.
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
        """Write the artefacts of the targets, a diagram and a report; return the files written.

        `targets` can map each target to values of its options: `{"mine": {"opset": 18}}`. If the
        network cannot be drawn, there is no diagram, and the report gives the reason, as it does if
        the costs exceed the limits of symbolic sizes. `weights` are as in `to_torch`; the artefacts
        name their origin. On an error or interrupt, the directory is left unchanged. Raises
        CompileFailed: E0803 if a file cannot be written, E0707, and those of the targets.
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
            drawing, undrawn = illustration(self.compiled)
            if drawing is not None:
                (folder / f"{self.name}.svg").write_bytes(drawing)
            origin = values.origin if values else ""
            text = (
                without_costs(self.name, report, origin, undrawn)
                if isinstance(report, str)
                else markdown(report, self.training_sizes, origin, undrawn)
            )
            (folder / f"{self.name}.report.md").write_bytes(text.encode())
        return tuple(files)

    def _reported(self) -> Report | str:
        """The report, or the reason why the costs are unknown."""
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
        """The weights in a file or state dict, checked against the network; creates no module.

        `entry` selects an entry of the file or a prefix of names, if there are several candidates:
        "model_ema", "ema.state_dict". Names that match a pattern of `ignore`, "criterion.*", are
        left out. `rename` replaces prefixes of names, {"backbone": "body"}; a `*` matches the same
        text on both sides: {"*.gamma": "*.weight"}. An empty side removes a prefix,
        {"backbone": ""}, or adds one, {"": "body"}. `liberties` of the result lists the changes.

        Raises CompileFailed: E0840, E0841, E0842; TypeError for arguments of a wrong type,
        ValueError for arguments that have no effect, such as an empty pattern.
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
        """The output in Jupyter: the diagram and the table of blocks."""
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
            raise TypeError(f"{min(taking)!r} selects weights, but no weights are given")
        if given is None and self.folding is not None and not names_only:
            from archspec.targets.building import first_folded

            return first_folded(self.folding, seed)
        if given is None or isinstance(given, Weights):
            return given
        found = self.read_weights(given, names_only=names_only, **taking)
        if found.liberties:
            warn(f"the weights of {self.name} are from {found.origin}", stacklevel=3)
        return found

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Refuse to be called, like a module."""
        raise TypeError(f"{self.name} is a `Network`, not a module: `net.to_torch()` makes one")

    def _sizes(self, given: Mapping[str, int]) -> Mapping[str, int]:
        known = self.compiled.sizes
        for name in given:
            if name not in known:
                free = ", ".join(known) or "none"
                raise TypeError(f"{self.name} has no free dimension `{name}`; there are: {free}")
        return {**known, **{name: whole(name, size) for name, size in given.items()}}
