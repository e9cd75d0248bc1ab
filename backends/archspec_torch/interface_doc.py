"""The docstring of the class of a network: inputs, outputs, sizes and parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from archspec.analysis.cost import Signature, inputs_of, outputs_of
from archspec.graph.compiled import Compiled
from archspec.types.dim import Dim
from archspec.types.tensor import TensorType
from archspec_torch.classes.constructor.parameters import Parameter
from archspec_torch.classes.constructor.ratios import whole_factor
from archspec_torch.input_check import limits


def interface_doc(
    network: Compiled, others: Sequence[Compiled] = (), arguments: Sequence[Parameter] = ()
) -> str:
    """Paragraphs for the docstring of the class of a network.

    `others` are the members of its family with other values of `arguments`.
    """
    graph = network.inference
    outputs = [outputs_of(one.inference) for one in (network, *others)]
    shown = [_shown(forms, arguments) for forms in zip(*outputs, strict=True)]
    sentences = [
        f"Inputs: {', '.join(_shown([one], ()) for one in inputs_of(graph))}.",
        f"Outputs: {', '.join(shown)}.",
    ]
    plain, training = limits(network)
    sentences += [f"Valid sizes: {plain}."] if plain else []
    sentences += [f"Valid sizes in training: {training}."] if training else []
    fixed = [*_fixed(network, {argument.name for argument in arguments})]
    paragraphs = [" ".join(sentences)]
    if fixed:
        paragraphs.append(f"Fixed in this file: {', '.join(fixed)}.")
    return "\n\n".join(paragraphs)


def _fixed(network: Compiled, arguments: Collection[str]) -> Iterator[str]:
    """The parameters that the constructor does not take, with their values."""
    for parameter in network.parameters:
        value = parameter.value if parameter.value is not None else parameter.default
        if parameter.name not in arguments and value is not None:
            yield f"`{parameter.name} = {value}`"


def _shown(forms: Sequence[Signature], arguments: Sequence[Parameter]) -> str:
    """An input or output, with the names of arguments for the sizes that they determine."""
    kinds = zip(*(form.types for form in forms), strict=True)
    return f"`{forms[0].name}` {', '.join(_kind(kind, arguments) for kind in kinds)}"


def _kind(kinds: Sequence[TensorType], arguments: Sequence[Parameter]) -> str:
    if all(kind == kinds[0] for kind in kinds):
        return str(kinds[0])
    axes = zip(*(kind.shape for kind in kinds), strict=True)
    return f"{kinds[0].dtype}[{', '.join(_size(sizes, arguments) for sizes in axes)}]"


def _size(sizes: Sequence[Dim], arguments: Sequence[Parameter]) -> str:
    if all(size == sizes[0] for size in sizes):
        return str(sizes[0])
    for argument in arguments:
        factor = whole_factor([size.constant for size in sizes], argument.values)
        if factor:
            return argument.name if factor == 1 else f"{factor}*{argument.name}"
    return "_"
