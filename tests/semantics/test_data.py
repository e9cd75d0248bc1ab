"""Data: tuples (P3), bodies (P2), presence (P5), claims (P8), data never in parentheses (P16)."""

from __future__ import annotations

import pytest

from tests.semantics.specs import compiled, errors, layer, network, ops, output, weights


def test_a_tuple_of_one_is_its_element() -> None:
    assert (
        output(network("y = (x,)", "z = (x -> [relu])", "output (y, z) -> add"))
        == "f32[B, 4, H, W]"
    )
    assert output(network("z = x -> [relu]", "output x -> conv(len(z), 1)")) == "f32[B, 1, H, W]"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["output x[0]"], "E0309"),
        (["output (x -> relu)[0]"], "E0309"),
        (["y = x + 1", "output y[0..2]"], "E0309"),
        (["y, z = x -> [relu, tanh] -> [add, mul]", "u = y -> relu", "output u[0]"], "E0309"),
        (["y: [B, C, H, W] = x -> [relu]", "output y[0]"], "E0309"),
        (["param p: f32[4] = zeros", "output x * p[0]"], "E0309"),
        (["output x -> conv(len(x), 1)"], "E0309"),
        (["output (t -> relu for t in x)"], "E0313"),
        (["output x -> for t in x { relu }"], "E0313"),
        (["output x -> for i, t in enumerate(x) { relu }"], "E0313"),
        (["output x -> for t, u in zip(x, x) { relu }"], "E0313"),
    ],
)
def test_a_single_tensor_has_no_elements(lines: list[str], code: str) -> None:
    assert errors(network(*lines)) == [code]


@pytest.mark.parametrize(
    "lines",
    [
        ["...t = x -> [relu]", "output t[0]"],
        ["t = (x,)", "output t[0]"],
        ["t = x -> { input s\n output s[0] }", "output t"],
        ["t = x -> [identity]", "output t[0]"],
        ["t = (a -> relu for a in (x -> [relu]))", "output t[0]"],
    ],
)
def test_possibly_multiple_tensors_act_as_a_tuple_of_one(lines: list[str]) -> None:
    assert output(network(*lines)) == "f32[B, 4, H, W]"


@pytest.mark.parametrize("parts", ["split(1)", "split([4])", "slice(axis=1, stop=1) -> unbind(1)"])
def test_single_result_of_a_splitting_op_is_its_element(parts: str) -> None:
    text = network(
        f"t = x -> {parts}", "output (t -> relu) + t[0]", "output (p -> tanh for p in t)"
    )
    one = "f32[B, H, W]" if "unbind" in parts else "f32[B, 4, H, W]"
    assert output(text) == f"{one}, {one}"


def test_a_tuple_of_one_can_be_iterated() -> None:
    text = network(
        "first, ...rest = x -> [relu, conv(2, 1)]",
        "y = first -> for i, part in enumerate(rest) { input v\n output (v, part) -> concat }",
        "z = (part -> tanh for part in rest)",
        "output (y, ...rest[0..1], ...rest, z) -> concat",
    )
    assert output(text) == "f32[B, 12, H, W]"


def test_tuples_nest_only_explicitly() -> None:
    text = network(
        "a = (x, x)", "b = (a, x)", "output (...a, x) -> concat", "output n = b[0] -> add"
    )
    graph = compiled(text).inference
    assert [str(type_) for type_ in graph.output_types] == ["f32[B, 12, H, W]", "f32[B, 4, H, W]"]
    assert errors(network("a = (x, x)", "output (a, x) -> concat")) == ["E0304"]


def test_spread_and_collect() -> None:
    text = network(
        "first, ...rest = x -> [conv(1, 1), conv(2, 1), conv(3, 1)]",
        "...init, last = (first, ...rest)",
        "output (...rest, last) -> concat",
        "output n = first -> conv(10 * len(rest) + len(init), 1)",
    )
    assert output(text) == "f32[B, 8, H, W], f32[B, 22, H, W]"


def test_indices_and_slices() -> None:
    text = network(
        "t = x -> [conv(1, 1), conv(2, 1), conv(3, 1)]",
        "output a = t[-1]",
        "output b = t[0..2] -> concat",
        "output c = t[1..2]",
    )
    assert output(text) == "f32[B, 3, H, W], f32[B, 3, H, W], f32[B, 2, H, W]"


def test_a_list_gives_each_layer_the_whole_input() -> None:
    assert (
        output(layer("[conv(2, 1), conv(3, 1), ...[relu, tanh]] -> concat")) == "f32[B, 13, H, W]"
    )


def test_spread_layers_splice_their_results() -> None:
    assert output(layer("[relu, ...[tanh, sigmoid]] -> concat")) == "f32[B, 12, H, W]"
    assert output(layer("[relu, ...(relu -> [tanh, sigmoid])] -> concat")) == "f32[B, 12, H, W]"


def test_comprehensions_over_data_and_over_layers() -> None:
    over_data = network(
        "t = x -> [relu, tanh]", "output (v * i for i, v in enumerate(t)) -> concat"
    )
    assert output(over_data) == "f32[B, 8, H, W]"
    assert output(layer("[conv(k, 1) for k in [1, 2, 4]] -> concat")) == "f32[B, 7, H, W]"


def test_comprehensions_join_what_they_spread() -> None:
    over_data = network(
        "t = x -> [relu, tanh]", "output (...(v -> [relu, tanh]) for v in t if true) -> concat"
    )
    assert output(over_data) == "f32[B, 16, H, W]"
    names = '[...["a{i}{j}" for j in 0..i] for i in 0..4 if i != 2]'
    same = network(f'assert {names} == ["a10", "a30", "a31", "a32"]', "output x")
    assert output(same) == "f32[B, 4, H, W]"
    widths = "[...[conv(k, 1), conv(2 * k, 1)] for k in [1, 2]]"
    assert output(layer(f"{widths} -> concat")) == "f32[B, 9, H, W]"
    assert output(layer("[...(relu -> [tanh, relu]) for _ in 0..2] -> concat")) == (
        "f32[B, 16, H, W]"
    )


def test_loop_state_in_a_tuple() -> None:
    iteration = "input a, b\n output (a + b, a)"
    assert ops(
        compiled(layer(f"[relu, tanh] -> for i in 0..2 {{ {iteration} }} -> add")).inference
    ) == [
        "relu",
        "tanh",
        "add",
        "add",
        "add",
    ]


def test_bodies_of_loops_read_names_from_outside() -> None:
    text = network(
        "q = x -> [conv(4, 1), conv(4, 1)]",
        "output x -> for i in 0..2 { input v\n output (v -> relu) * q[i] }",
    )
    assert output(text) == "f32[B, 4, H, W]"


def test_blocks_see_only_their_arguments() -> None:
    text = "block f { input x\n output x + y }\n" + network("y = x", "output x -> f")
    assert errors(text) == ["E0210"]


def test_absent_layers_contribute_nothing() -> None:
    assert ops(compiled(layer("relu -> if false { conv(4, 1) } -> tanh")).inference) == [
        "relu",
        "tanh",
    ]
    assert output(layer("[relu, if false { tanh }] -> concat")) in (
        "f32[B, 8, H, W]",
        "f32[B, 4, H, W]",
    )


@pytest.mark.parametrize("choice", ["true", "false"])
def test_conditions_choose_values_layers_and_data(choice: str) -> None:
    text = network(
        f"c = {choice}",
        "n = if c then 2 else 3",
        "y = if c { x -> relu } else { x -> tanh }",
        "output y -> if c { conv(n, 1) } else { conv(n, 3) -> relu }",
    )
    assert output(text) == f"f32[B, {2 if choice == 'true' else 3}, H, W]"


def test_shapes_bind_check_and_ignore_sizes() -> None:
    text = network("y: [_, C, h, w] = x -> max_pool(2)", "output x -> resize((h, w)) -> conv(C, 1)")
    assert output(text) == "f32[B, 4, H//2, W//2]"
    assert errors(network("y: [B, 4, H, W] = x", "output y")) == []
    assert errors(network("y: [B, 5, H, W] = x", "output y")) == ["E0402"]
    assert errors(network("y: [B, C, C, W] = x", "output y")) == ["E0402"]
    assert errors(network("y: [B, ..., W] = x", "output y")) == []
    assert errors(network("y: [B, H] = x", "output y")) == ["E0405"]


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("[n, 1, h, w]", "E0402"),
        ("[n, c, 8, w, h]", "E0405"),
        ("[n, c // 0, h, w]", "E0210"),
        ("[n, n // 0, h, w]", "E0309"),
        ("[n, w, h]", "E0405"),
        ("i64[n, c, h, w]", "E0406"),
        ("[n, missing + 1, h, w]", "E0210"),
        ("[8, n, h, w]", "E0402"),
    ],
)
def test_mismatched_shape_is_reported_once_regardless_of_readers(claim: str, code: str) -> None:
    read = "output t -> reshape(n, h, -1, w)"
    body = f"{{\n  input t: {claim} where h % 2 == 0, w > 1\n  {read}\n}}"
    assert errors(layer("b", f"block b {body}")) == [code]
    assert errors(layer(body)) == [code]
    assert errors(layer(f"iterate({body}, 2)")) == [code]
    assert errors(network(f"t: {claim} = x", read)) == [code]


def test_blocks_may_declare_requirements() -> None:
    head = "block even { input x: [B, C, H, W] where C % 2 == 0\n output x }"
    assert errors(layer("even", head)) == []
    assert errors(layer("conv(3, 1) -> even", head)) == ["E0408"]


def test_arithmetic_broadcasts_only_literal_ones() -> None:
    assert output(network("y = x -> conv(1, 1)", "output x * y")) == "f32[B, 4, H, W]"
    assert errors(network("y = x -> conv(2, 1)", "output x * y")) == ["E0401"]
    assert output(network("output (2.0 * x - 1) / 3")) == "f32[B, 4, H, W]"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("output exp(x)", "E0310"),
        ("output x -> relu * 2", "E0307"),
        ("output 2 * relu", "E0307"),
        ("output 3 -> relu", "E0315"),
        ("output x -> x", "E0308"),
        ("output relu", "E0315"),
        ("output [x, x] -> add", "E0317"),
        ("output (x, relu) -> add", "E0315"),
        ("a, b = x", "E0316"),
    ],
)
def test_invalid_data(line: str, code: str) -> None:
    assert code in errors(network(line, "output y = x"))


def test_every_weight_is_reported_once() -> None:
    found = weights(layer("[conv(4, 3), conv(4, 3)] -> add -> conv(4, 3, bias=false)"))
    assert len(found) == 5


def test_ignored_inputs_of_blocks_are_typed() -> None:
    block = "block b {{\n  input _: f32[B, N], {0}_: [B, {1}]\n  output y = ones([N]) }}"
    text = f"{block}\nnetwork net {{{{\n  input x: f32[B = 1, 4]\n  output y = (x, x) -> b\n}}}}"
    assert errors(text.format("", "N")) == []
    assert errors(text.format("...", "N")) == []
    assert errors(text.format("", "5")) == ["E0402"]
