"""The methods of timm's models, for a module of one input that ends in a linear layer.

    model = with_timm_methods(archspec.load("resnet50").to_torch())
    model.reset_classifier(10)

The features are the last value with positions, of rank 3 or more, on the way to the classifier,
which is the last linear layer. They are found in what `forward` of the module itself does
(`torch.fx`; its parts are not looked into). timm is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.utils.checkpoint import checkpoint


def with_timm_methods(module: nn.Module) -> Any:
    """The module itself, with a class that also has timm's methods.

    Raises ValueError for a module that has several inputs or outputs, or no linear layer after its
    features.
    """
    kind: Any = type(module)
    module.__class__ = _with_methods(kind)
    try:
        module.__dict__["num_classes"] = _classifier(module)[1].out_features
        module.head_split()  # type: ignore[operator]
    except ValueError:
        module.__class__ = kind
        raise
    return module


@cache
def _with_methods(kind: Any) -> Any:
    """A class with timm's methods in addition to its own."""
    return type(kind.__name__, (TimmMethods, kind), {"__module__": __name__})


def _remade(kind: Any) -> Any:
    """A module of such a class without its state."""
    found = _with_methods(kind)
    return found.__new__(found)


class TimmMethods(nn.Module):
    """The methods that timm expects of a model, for the class of a generated network."""

    num_classes: int

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: the class has no importable name."""
        return _remade, type(self).__bases__[1:], self.__dict__

    @property
    def num_features(self) -> int:
        """Channels of the input of the classifier."""
        return int(_classifier(self)[1].in_features)

    head_hidden_size = num_features

    def get_classifier(self) -> nn.Module:
        """The last linear layer."""
        return _classifier(self)[1]

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Set a new classifier; with 0 classes it returns its input. The pooling is unchanged."""
        if global_pool not in (None, "avg"):
            raise ValueError("the pooling is a part of the spec")
        name, old = _classifier(self)
        like = next(self.parameters())
        new = _Classifier(old.in_features, num_classes)
        self.set_submodule(name, new.to(device=like.device, dtype=like.dtype))
        self.num_classes = num_classes

    def forward_features(self, x: Tensor) -> Any:
        """The features before pooling."""
        return fx.Interpreter(self, graph=self.head_split()[0]).run(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Any:
        """The head, applied to features; with `pre_logits` without the classifier."""
        runner = _HeadOnly if pre_logits else fx.Interpreter
        return runner(self, graph=self.head_split()[1]).run(x)

    def no_weight_decay(self) -> set[str]:
        """Parameters that do not belong to a layer: position tables, tokens, scales."""
        return {
            name
            for name, _ in self.named_parameters()
            if not type(self.get_submodule(name.rpartition(".")[0])).__module__.startswith("torch.")
        }

    @property
    def feature_info(self) -> list[dict[str, Any]]:
        """The last part with each size of feature maps: channels, reduction and name."""
        found: dict[int, dict[str, Any]] = {}
        graph = _traced(self)
        height = 0
        for node in graph.nodes:
            shape = _shape(node) if "tensor_meta" in node.meta else []
            if node.op == "placeholder" and len(shape) == 4:
                height = shape[2]
            elif node.op == "call_module" and len(shape) == 4 and height:
                reduction = round(height / shape[2])
                row = {"num_chs": shape[1], "reduction": reduction, "module": node.target}
                if shape[2] > 1:
                    found[reduction] = row
        return list(found.values())

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Recompute repeated parts in the backward pass instead of storing their activations."""
        for part in _repeated(self):
            part.__dict__.pop("forward", None)
            if enable:
                part.__dict__["forward"] = partial(_checkpointed, part)

    def head_split(self) -> tuple[fx.Graph, fx.Graph]:
        """The modules before and after the features, in the mode of the module."""
        graph = _traced(self)
        (result,) = (node.args[0] for node in graph.nodes if node.op == "output")
        if not isinstance(result, fx.Node):
            raise ValueError("the module has several outputs")
        features = result
        while len(_shape(features)) < 3:
            reads = [node for node in features.all_input_nodes if node.op != "get_attr"]
            if len(reads) != 1:
                raise ValueError("no features lead to the classifier alone")
            (features,) = reads
        return _cut(graph, features)


class _Classifier(nn.Linear):
    """A linear layer; without outputs it returns its input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if self.out_features else x


class _HeadOnly(fx.Interpreter):
    """The head without the classifier."""

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        name = _classifier(self.module)[0]
        if target == name:
            return args[0]
        if not name.startswith(f"{target}."):
            return super().call_module(target, args, kwargs)
        part = self.module.get_submodule(name)
        found: list[Tensor] = []
        hook = part.register_forward_pre_hook(lambda _, given: found.append(given[0]))
        try:
            super().call_module(target, args, kwargs)
        finally:
            hook.remove()
        return found[0]


class _Shallow(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def _traced(module: nn.Module) -> fx.Graph:
    """The graph of `forward`, with the shapes of its values."""
    graph = _Shallow().trace(module)
    inputs = module.example_inputs()  # type: ignore[operator]
    if len(inputs) != 1:
        raise ValueError("the module has several inputs")
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
        with torch.no_grad():
            ShapeProp(fx.GraphModule(module, graph)).propagate(*inputs)
    finally:
        for part, training in modes.items():
            part.training = training
    return graph


def _shape(node: fx.Node) -> Sequence[int]:
    if "tensor_meta" not in node.meta:
        raise ValueError("no features lead to the classifier")
    return [*node.meta["tensor_meta"].shape]


def _cut(graph: fx.Graph, features: fx.Node) -> tuple[fx.Graph, fx.Graph]:
    body, head = fx.Graph(), fx.Graph()
    known: dict[fx.Node, fx.Node] = {}
    behind: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node.op == "output":
            head.output(behind[node.args[0]])
        elif features in known:
            if node.op == "get_attr" or any(read in behind for read in node.all_input_nodes):
                behind[node] = head.node_copy(node, lambda read: behind[read])
        else:
            known[node] = body.node_copy(node, lambda read: known[read])
            if node is features:
                body.output(known[node])
                behind[node] = head.placeholder("features")
    return body, head


def _classifier(module: nn.Module) -> tuple[str, nn.Linear]:
    found = [(name, one) for name, one in module.named_modules() if isinstance(one, nn.Linear)]
    if not found:
        raise ValueError("the module has no linear layer")
    return found[-1]


def _repeated(module: nn.Module) -> Iterator[nn.Module]:
    """The generated modules in containers, outermost ones."""
    for child in module.children():
        if not type(child).__module__.startswith("torch."):
            yield child
        elif isinstance(child, nn.Sequential | nn.ModuleList | nn.ModuleDict):
            yield from _repeated(child)


def _checkpointed(part: nn.Module, *inputs: Any) -> Any:
    forward = partial(type(part).forward, part)
    if not (part.training and torch.is_grad_enabled()):
        return forward(*inputs)
    return checkpoint(forward, *inputs, use_reentrant=False)
