"""The five naming rules (P1): they can produce the names in checkpoints, and are stable."""

from __future__ import annotations

import pytest

from tests.semantics.specs import compiled, errors, keys, layer, network

UNIT = "block unit(width: int = 4) { conv(width, 3) -> batch_norm -> relu }"


# P1a: the scope's path and the label, or the definition's own name, then name_1


def test_an_unlabelled_instance_is_named_after_its_op() -> None:
    assert keys(layer("conv(4, 3) -> relu -> conv(4, 3) -> conv(4, 3)")) == [
        "conv",
        "conv_1",
        "conv_2",
    ]


def test_instances_are_not_named_after_aliases_or_parameters() -> None:
    head = "block body(f: layer) { f -> f }"
    assert keys(layer("body(conv(4, 3))", head)) == ["body.conv", "body.conv_1"]
    assert keys(network("g = conv(4, 3)", "output x -> g -> g")) == ["conv", "conv_1"]


def test_a_block_opens_a_scope_under_its_own_name() -> None:
    assert keys(layer("unit -> unit", UNIT)) == [
        "unit.conv",
        "unit.batch_norm",
        "unit_1.conv",
        "unit_1.batch_norm",
    ]


def test_an_inline_block_opens_no_scope() -> None:
    assert keys(layer("unit -> unit", f"inline {UNIT}")) == [
        "conv",
        "batch_norm",
        "conv_1",
        "batch_norm_1",
    ]
    assert keys(layer("residual(ln: conv(4, 3) -> fc: conv(4, 1))")) == ["ln", "fc"]


def test_explicit_labels_take_precedence_over_default_names() -> None:
    assert keys(layer("conv: conv(4, 3) -> conv(4, 3)")) == ["conv", "conv_1"]


@pytest.mark.parametrize(
    "expression",
    [
        "a: conv(4, 3) -> a: conv(4, 3)",
        "a: conv(4, 3) -> a: relu",
        '"a.b": conv(4, 3) -> "a.b": relu',
    ],
)
def test_an_explicit_label_that_is_taken_is_an_error(expression: str) -> None:
    assert errors(layer(expression)) == ["E0601"]


# P1b: a label on a group, a `for` or an inline call opens a numbered scope


def test_a_labelled_group_numbers_what_is_in_it() -> None:
    assert keys(layer("down: (conv(4, 1) -> batch_norm)")) == ["down.0", "down.1"]


def test_ops_without_parameters_count_and_arithmetic_does_not() -> None:
    assert keys(layer("f: (relu -> conv(4, 1) -> relu -> conv(4, 1))")) == ["f.1", "f.3"]
    chain = "conv(4, 1) -> { input y\n output (y * 2.0 + 1) -> conv(4, 1) }"
    assert keys(layer(f"f: ({chain})")) == ["f.0", "f.1"]


def test_an_absent_layer_does_not_count() -> None:
    assert keys(layer("f: (if false { relu } -> conv(4, 1))")) == ["f.0"]


def test_numbers_run_through_loops_conditions_parentheses_lists_and_inline_calls() -> None:
    head = "inline block two { conv(4, 1) -> relu }"
    inner = "for i in 0..2 { if i == 0 { (conv(4, 3)) } else { [conv(4, 1), relu] -> add } } -> two"
    assert keys(layer(f"f: ({inner})", head)) == ["f.0", "f.1", "f.4"]


def test_a_labelled_loop_and_a_labelled_inline_call() -> None:
    assert keys(layer("stack: for i in 0..3 { conv(4, 3) }")) == ["stack.0", "stack.1", "stack.2"]
    assert keys(layer("twice: repeated(2, conv(4, 1))")) == ["twice.0", "twice.1"]


# P1c: `_` is the next number


def test_the_next_number() -> None:
    loop = "for i in 0..2 { _: for j in 0..2 { conv(4, 3) } }"
    assert keys(layer(f"features: (_: (conv(4, 1) -> batch_norm) -> {loop})")) == [
        "features.0.0",
        "features.0.1",
        "features.1.0",
        "features.1.1",
        "features.2.0",
        "features.2.1",
    ]


def test_the_next_number_needs_a_numbered_scope() -> None:
    assert errors(layer("_: conv(4, 3)")) == ["E0603"]


# P1d: a label on `if` passes to the chosen branch; unlabelled parentheses only group


def test_a_label_on_a_condition() -> None:
    assert keys(layer("a: if true { conv(4, 3) } else { relu }")) == ["a"]
    assert keys(layer("unit: if true { unit }", UNIT)) == ["unit.conv", "unit.batch_norm"]


def test_parentheses_without_a_label_only_group() -> None:
    assert keys(layer("(conv(4, 3) -> (relu -> conv(4, 1)))")) == ["conv", "conv_1"]


def test_a_label_binds_one_stage() -> None:
    assert keys(layer("a: conv(4, 3) -> conv(4, 1)")) == ["a", "conv"]


# P1e: paths, templates, layer arguments, loops outside numbered scopes


def test_paths_and_templates() -> None:
    text = layer('for i in 0..2 { "down.{i}": conv(4, 1) -> "stages.{i}.{i + 1}": conv(4, 3) }')
    assert keys(text) == ["down.0", "stages.0.1", "down.1", "stages.1.2"]


def test_any_text_without_a_dot_is_a_component() -> None:
    assert keys(layer('"conv1/bn": conv(4, 1) -> "block": conv(4, 1) -> "output": conv(4, 1)')) == [
        "conv1/bn",
        "block",
        "output",
    ]


@pytest.mark.parametrize("label", ["", ".", "a.", ".a", "a..b", "x" * 201])
def test_invalid_labels(label: str) -> None:
    assert errors(layer(f'"{label}": conv(4, 1)')) == ["E0605"]


@pytest.mark.parametrize("path", ["a.weight", "a.bias.scale", "b.conv", "b.group", "b.group.0"])
def test_path_into_an_existing_name_is_an_error(path: str) -> None:
    head = "block body { conv(4, 1) -> group: (relu -> conv(4, 1)) }"
    assert errors(layer(f'a: conv(4, 1) -> b: body -> "{path}": conv(4, 1)', head)) == ["E0601"]
    assert errors(layer(f'"{path}": conv(4, 1) -> a: conv(4, 1) -> b: body', head)) == ["E0601"]


@pytest.mark.parametrize("path", ["a.extra", "b.extra", "b.group.2", "b.conv.extra", "c.weight"])
def test_path_into_a_free_name_is_valid(path: str) -> None:
    head = "block body { conv(4, 1) -> group: (relu -> conv(4, 1)) }"
    text = layer(f'a: conv(4, 1) -> b: body -> c: gelu -> "{path}": conv(4, 1)', head)
    assert keys(text) == ["a", "b.conv", "b.group.1", path]


def test_layer_arguments_keep_their_label() -> None:
    head = "block body(f: layer) { f -> relu }"
    assert keys(layer("body(odefunc: conv(4, 3))", head)) == ["body.odefunc"]


def test_labels_of_labelled_composites_nest() -> None:
    assert keys(layer("a: residual(b: conv(4, 1))")) == ["a.b"]


def test_loops_number_instances_in_the_enclosing_scope() -> None:
    assert keys(layer("for i in 0..2 { conv(4, 3) }")) == ["0", "1"]
    head = "block body { for i in 0..2 { conv(4, 3) } }"
    assert keys(layer("body", head)) == ["body.0", "body.1"]


def test_second_unlabelled_loop_needs_a_label() -> None:
    loop = "for i in 0..2 { conv(4, 3) }"
    assert errors(layer(f"{loop} -> {loop}")) == ["E0602"]
    assert keys(layer(f"{loop} -> b: {loop}")) == ["0", "1", "b.0", "b.1"]


def test_layers_without_weights_are_numbered_across_loops() -> None:
    head = "block quiet { relu -> dropout(0.1) }"
    first = 'for i in 0..2 { "a{i}": conv(4, 3) -> relu -> quiet -> identity }'
    second = 'for i in 0..3 { "b{i}": conv(4, 3) -> tanh -> quiet }'
    text = layer(f"{first} -> {second} -> for i in 0..2 {{ max_pool(1) }}", head)
    assert keys(text) == ["a0", "a1", "b0", "b1", "b2"]
    graph = compiled(text).inference
    names = [node.instance.key for node in graph.nodes if node.instance is not None]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("first", ["relu", "conv(4, 3)"])
@pytest.mark.parametrize(
    "second", ["iterate(relu, 2)", "quiet", "{ iterate(quiet, 2) -> iterate(quiet, 2) }", "table"]
)
def test_layers_outside_the_state_dict_are_numbered_across_loops(first, second) -> None:
    head = """block quiet { relu -> dropout(0.1) }
block table { input x: [B, C, H, W]
  buffer g: f32[C, 1, 1] = ones([C, 1, 1]) transient
  output g * x }"""
    text = layer(f"for i in 0..2 {{ {first} }} -> for i in 0..2 {{ {second} }}", head)
    assert errors(text) == []
    assert keys(text) == (["0", "1"] if first != "relu" else [])


@pytest.mark.parametrize(
    "weighs",
    [
        "iterate(conv(4, 3), 2)",
        "iterate(unit, 2)",
        "conv(4, 3)",
        "batch_norm(affine=false)",
        "unit",
        "prelu",
        "gated_unit",
    ],
)
@pytest.mark.parametrize("first", ["relu", "conv(4, 3)"])
def test_layers_with_weights_are_not_numbered_across_loops(weighs: str, first: str) -> None:
    head = UNIT + "\nblock gated_unit { relu -> iterate(conv(4, 3), 2) }"
    text = layer(f"for i in 0..2 {{ {first} }} -> for i in 0..2 {{ {weighs} }}", head)
    assert errors(text) == ["E0602"]


def test_names_do_not_depend_on_what_is_edited_elsewhere() -> None:
    before = keys(layer("stem: conv(4, 3) -> unit -> head: conv(4, 1)", UNIT))
    after = keys(layer("stem: conv(4, 3) -> relu -> unit -> tanh -> head: conv(4, 1)", UNIT))
    assert before == after
