"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.types.initialiser import FanInUniform, Initialiser
from archspec_torch.code.pieces import Argument, Code, call, code, keyword, positional
from archspec_torch.lowering.base import Lowered, Scope, Site, constant, lowers


def _given(site: Site) -> dict[str, Initialiser]:
    return {item.name: FanInUniform(fan=site.op.hidden) for item in site.parameters}


def _stacked(site: Site) -> list[Argument]:
    op = site.op
    return [
        positional(constant(site.x.shape[2]), "input_size"),
        positional(op.hidden, "hidden_size"),
        keyword("num_layers", op.layers, 1),
        keyword("bias", op.bias, True),
        keyword("batch_first", op.batch_first, False),
        keyword("dropout", op.dropout, 0.0),
        keyword("bidirectional", op.bidirectional, False),
    ]


@lowers("lstm")
def lstm(site: Site) -> Lowered:
    """`nn.LSTM`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        states = [f"({inputs[1]}, {inputs[2]})"] if len(inputs) == 3 else []
        y, last = scope.fresh("y"), scope.fresh("states")
        scope.line(f"{y}, {last} = ", call(scope.module(), inputs[0], *states))
        return code(f"({y}, {last}[0], {last}[1])")

    return Lowered(call("nn.LSTM", *_stacked(site)), apply, given=_given(site))


@lowers("gru")
def gru(site: Site) -> Lowered:
    """`nn.GRU`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call(scope.module(), *inputs)

    return Lowered(call("nn.GRU", *_stacked(site)), apply, given=_given(site))


def _cell(site: Site, name: str) -> Code:
    return call(
        name,
        positional(constant(site.x.shape[1]), "input_size"),
        positional(site.op.hidden, "hidden_size"),
        keyword("bias", site.op.bias, True),
    )


@lowers("lstm_cell")
def lstm_cell(site: Site) -> Lowered:
    """`nn.LSTMCell`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        states = [f"({inputs[1]}, {inputs[2]})"] if len(inputs) == 3 else []
        return call(scope.module(), inputs[0], *states)

    return Lowered(_cell(site, "nn.LSTMCell"), apply, given=_given(site))


@lowers("gru_cell")
def gru_cell(site: Site) -> Lowered:
    """`nn.GRUCell`."""

    def apply(inputs: Sequence[str], scope: Scope) -> Code:
        return call(scope.module(), *inputs)

    return Lowered(_cell(site, "nn.GRUCell"), apply, given=_given(site))
