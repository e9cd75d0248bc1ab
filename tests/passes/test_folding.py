"""What is folded, what is not, and what is left of a network."""

import pytest

import archspec
from archspec.analysis.parameters import table
from archspec.ops.normalisation import running_map
from archspec.passes.folding.fold import fold
from archspec.passes.folding.steps import (
    IDENTITY,
    After,
    Before,
    Chain,
    Channelwise,
    Factor,
    Layer,
    Merge,
    Offset,
    Scale,
    SetNorm,
    Total,
)
from tests.building import compiled, fractal


@pytest.fixture
def folding(tmp_path):
    """Fold a network of these statements, each ended by `;`, over x: [B, 4, H, W]."""

    def made(statements, definitions="", size="W = 9"):
        path = tmp_path / "net.arch"
        body = f"input x: f32[B = 2, 4, H = 9, {size}]; " + statements
        text = f"{definitions}\nnetwork net {{ {body} }}\n"
        path.write_text(text.replace("; ", "\n").replace("{ ", "{\n").replace(" }", "\n}"))
        return fold(archspec.load(path).compiled)

    return made


def names(folding):
    return [entry.name for entry in table(folding.compiled)]


UNIT = "block unit { conv(4, 3, bias=false) -> bn: batch_norm }"
NORM = running_map(1e-5, axis=1, affine=True)


def norm(owner):
    return Channelwise(owner, NORM.scale, NORM.shift)


STATISTICS = norm("bn")


def test_norm_after_a_layer_is_folded_into_weight_and_bias(folding):
    found = folding("output x -> conv: conv(8, 3, bias=false) -> bn: batch_norm -> relu")
    assert found.steps == (After(Layer("conv"), STATISTICS),)
    assert names(found) == ["conv.weight", "conv.bias"]
    assert [node.instance.title for node in found.compiled.inference.nodes if node.instance] == [
        "conv",
        "relu",
    ]


def test_norm_before_a_layer_is_folded_forward(folding):
    found = folding("output x -> relu -> bn: batch_norm -> conv: conv(8, 1, groups=2)")
    assert found.steps == (Before(Layer("conv", groups=2), STATISTICS),)
    assert names(found) == ["conv.weight", "conv.bias"]


def test_layer_between_two_norms_absorbs_both(folding):
    found = folding("output x -> bn: batch_norm -> conv: conv(8, 1) -> last: batch_norm")
    assert [type(step) for step in found.steps] == [Before, After]


def test_only_factors_are_folded_forward_across_padding(folding):
    padded = "-> conv: conv(8, 3)"
    assert not folding(f"output x -> bn: batch_norm {padded}").steps
    scaled = folding(f"param g: f32[4, 1, 1] = ones; output x * g {padded}")
    assert scaled.steps == (Before(Layer("conv"), Factor("g")),)
    assert not folding(f"param g: f32[4, 1, 1] = ones; output x + g {padded}").steps


def test_permutations_in_between_are_followed_and_cancel(folding):
    found = folding(
        """output x -> rearrange("b c h w -> b h w c") -> linear: linear(8, bias=false)
          -> rearrange("b h w c -> b c h w") -> bn: batch_norm -> permute(0, 2, 3, 1) -> scale
          -> transpose(1, 3)""",
        "inline block scale { input x: [B, H, W, C]; param g: f32[C] = ones; output x * g }",
    )
    assert found.steps == (
        After(Layer("linear"), STATISTICS),
        After(Layer("linear"), Factor("g")),
    )
    ops = [node.instance.title for node in found.compiled.inference.nodes if node.instance]
    assert ops == ["rearrange", "linear", "transpose"]


def test_norm_over_another_axis_is_not_folded(folding):
    assert not folding("output x -> linear(8) -> batch_norm", size="9").steps
    assert not folding("param g: f32[9] = ones; output (x -> conv(8, 3)) * g", size="9").steps


def test_layer_with_another_reader_is_not_folded(folding):
    kept = "y = x -> conv(4, 3)"
    assert not folding(f"{kept}; output (y -> batch_norm) + (y -> relu)").steps
    assert not folding(f"{kept}; output y -> batch_norm; output raw = y").steps


def test_sum_of_a_value_and_its_norm_is_one_change(folding):
    found = folding("y = x -> conv(4, 3); output (y -> bn: batch_norm) + y")
    assert found.steps == (After(Layer("conv"), Total((IDENTITY, STATISTICS))),)


def test_batch_statistics_are_not_folded(folding):
    assert not folding("output x -> conv(4, 3) -> batch_norm(track=false)").steps


def test_instance_norm_with_running_averages_is_folded(folding):
    found = folding("output x -> conv: conv(4, 3) -> bn: instance_norm(track=true, affine=true)")
    assert found.steps == (After(Layer("conv"), STATISTICS),)
    assert not folding("output x -> conv(4, 3) -> instance_norm(affine=true)").steps


def test_weight_normalisation_is_not_folded(folding):
    assert not folding("output x -> conv(4, 3, parametrization=weight_norm) -> batch_norm").steps


def test_weights_used_twice_are_not_folded(folding):
    twice = "shared f = conv(4, 3); output x -> f -> relu -> f -> batch_norm"
    assert not folding(twice).steps
    norm = "shared n = batch_norm; output x -> conv(4, 3) -> n -> relu -> conv(4, 3) -> n"
    assert not folding(norm).steps


def test_shared_blocks_are_folded_inside(folding):
    found = folding(
        "shared f = unit; output x -> f -> max_pool(2) -> f",
        "block unit { conv(4, 3) -> bn: batch_norm }",
    )
    assert found.steps == (After(Layer("unit.conv"), norm("unit.bn")),)


def test_parallel_convolutions_are_merged(folding):
    found = folding(
        """output x -> [
          large: conv(same, 7, groups=each, bias=false) -> bn: batch_norm,
          small: conv(same, 3, dilation=2, groups=each),
          point: conv(same, 1, groups=each, bias=false),
          identity,
        ] -> add"""
    )
    large = Layer("large", groups=4)
    assert found.steps[1:] == (
        Merge(large, Layer("small", groups=4), (1, 1), (2, 2)),
        Merge(large, Layer("point", groups=4), (3, 3), (1, 1)),
        Merge(large, IDENTITY, (3, 3), (1, 1)),
    )
    assert names(found) == ["large.weight", "large.bias"]
    assert len(found.compiled.inference.nodes) == 2  # the input and the convolution


@pytest.mark.parametrize(
    "other",
    [
        "conv(4, 5, stride=2)",
        "conv(4, 3, groups=2, stride=2)",  # more groups: fewer weights, with a place for each
        "conv(4, 1, padding=0, stride=2, groups=4, padding_mode=reflect)",  # does not read padding
        "conv(4, 9, padding=4, stride=2, padding_mode=circular)",
        "relu -> conv(4, 3, stride=2)",  # a different input
    ],
)
def test_incompatible_convolutions_are_not_merged(folding, other):
    body = f"output x -> [conv(4, 7, stride=2, padding=3), {other}] -> add"
    merged = [step for step in folding(body).steps if isinstance(step, Merge)]
    assert bool(merged) == (other[:9] in ("conv(4, 5", "conv(4, 3", "conv(4, 1"))


def test_convolutions_outside_of_the_larger_kernel_are_not_merged(folding):
    body = "output x -> [conv(4, 3), conv(4, 3, dilation=2)] -> add"
    assert not folding(body).steps


def test_blocks_are_inlined_where_their_ends_meet_a_norm(folding):
    blocks = """
    block window { input x; output x -> rearrange("b c h w -> b h w c") -> linear(6) }
    block wrapped { window -> rearrange("b h w c -> b c h w") }
    block ahead { input x: [B, C, H, W]; param t: f32[C, 1, 1] = zeros; output x + t }
    """
    found = folding("output x -> a: wrapped -> bn: batch_norm -> b: ahead -> relu", blocks)
    assert found.steps == (
        After(Layer("a.window.linear"), STATISTICS),
        After(Layer("a.window.linear"), Offset("b.t")),
    )
    assert names(found) == ["a.window.linear.weight", "a.window.linear.bias"]
    # the frames of inlined blocks name the call
    (linear,) = (n for n in found.compiled.inference.nodes if n.op and n.op.name == "linear")
    assert [frame.what for frame in linear.origin.frames] == ["window", "wrapped"]


def test_other_blocks_stay_calls_and_shared(folding):
    found = folding(
        "output x -> a: unit -> b: unit -> c: unit",
        "block unit { conv(4, 3, bias=false) -> bn: batch_norm -> relu }",
    )
    calls = [node.callee for node in found.compiled.inference.nodes if node.callee is not None]
    assert len(calls) == 3
    assert len(set(map(id, calls))) == 1
    assert [step.layer.owner for step in found.steps] == ["a.conv", "b.conv", "c.conv"] or {
        step.layer.owner for step in found.steps
    } == {"a.conv", "b.conv", "c.conv"}


def test_dropout_in_between_is_ignored_in_inference(folding):
    assert folding("output x -> conv(4, 3) -> dropout(0.5) -> batch_norm").steps


def test_regions_are_folded_as_blocks_are(folding):
    found = folding("output x -> it: iterate([unit, unit] -> add -> bn: batch_norm, 2)", UNIT)
    first, second = Layer("it.layer.unit.conv"), Layer("it.layer.unit_1.conv")
    assert found.steps == (
        After(first, norm("it.layer.unit.bn")),
        After(second, norm("it.layer.unit_1.bn")),
        Merge(first, second, (0, 0), (1, 1)),
        After(first, norm("it.layer.bn")),
    )
    assert names(found) == ["it.layer.unit.conv.weight", "it.layer.unit.conv.bias"]


def test_forty_columns_fold_without_expanding():
    whole = compiled(fractal(40))
    assert fold(whole).compiled.inference is not None


def test_without_anything_to_fold_the_same_graph_is_returned(folding):
    found = folding("output x -> conv(4, 3) -> relu")
    assert found.compiled.inference is found.whole.inference
    assert found.compiled.name == "net_folded"


def test_valid_sizes_are_preserved(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "block unit { conv(8, 4, stride=2, padding=valid) }\n"
        "network net {\n"
        "  input x: f32[B = 1, 3, H = 20, W = 20] where H % 2 == 0, H >= 10, W >= 10\n"
        "  output x -> unit -> batch_norm -> unit\n"
        "}\n"
    )
    network = archspec.load(path)
    assert network.fold().valid_sizes == network.valid_sizes


@pytest.mark.parametrize(
    ("maker", "change", "reader"),
    [
        ("conv(4, 3)", "global_avg_pool", "batch_norm"),
        ("conv(4, 3)", 'upsample(2, mode="bilinear")', "batch_norm"),
        ("conv(4, 3)", "avg_pool(3, padding=1, count_include_pad=false)", "batch_norm"),
        ("batch_norm", "avg_pool(2)", "conv(4, 1)"),
        ("batch_norm", "global_avg_pool(keepdim=true) -> flatten", "linear(5)"),
        ("batch_norm", "mean(axis=[2, 3])", "linear(5)"),
        ("batch_norm", "drop_path(0.1) -> flip([2])", "conv(4, 3, padding=valid)"),
        ("batch_norm", 'rearrange("b c h w -> b (h w) c")', "linear(5)"),
        ("batch_norm", "select(axis=2, index=0) -> transpose(1, 2)", "linear(5)"),
        ("batch_norm", "relu", None),
        ("batch_norm", "max_pool(2)", None),
        ("batch_norm", "pad([(2, 1, 1)])", None),
        ("batch_norm", "avg_pool(3, padding=1)", None),
        ("batch_norm", "slice(axis=1, stop=2)", None),
    ],
)
def test_ops_that_treat_all_channels_alike_are_passed_through(folding, maker, change, reader):
    body = f"output x -> relu -> {maker} -> {change} -> {reader or 'conv(4, 1)'}"
    found = folding(body)
    assert bool(found.steps) == (reader is not None)
    assert any("batch_norm" in name for name in names(found)) == (reader is None)


def test_flattened_pooled_channels_are_followed(folding):
    body = "output x -> relu -> bn: batch_norm -> adaptive_avg_pool(3) -> flatten -> fc: linear(5)"
    assert folding(body).steps == (Before(Layer("fc"), STATISTICS, outer=1, inner=9),)


def test_maps_are_folded_into_all_readers_or_none(folding):
    both = "y = x -> relu -> bn: batch_norm; output y -> a: conv(4, 1); output z = y -> b: {}"
    found = folding(both.replace("{}", "conv(4, 3, padding=valid)"))
    assert {step.layer.owner for step in found.steps} == {"a", "b"}
    assert not folding(both.replace("{}", "conv(4, 3)")).steps


@pytest.mark.parametrize(
    "body",
    [
        "x -> relu -> batch_norm -> conv(64, 1, bias=false)",  # 64 numbers instead of 8
        "x -> conv(64, 1, bias=false) -> add(scalar=1.0)",
        "x -> [conv(4, [1, 3]), conv(4, [3, 1])] -> add",
    ],
)
def test_folding_never_adds_numbers(folding, body):
    assert not folding(f"output {body}").steps


def test_norms_without_a_layer_are_merged(folding):
    found = folding("output x -> relu -> a: batch_norm -> dropout -> b: batch_norm -> relu")
    both = Chain((norm("a"), norm("b")))
    assert found.steps == (SetNorm("a", NORM.settings, both),)
    assert {name.rpartition(".")[0] for name in names(found)} == {"a"}


def test_shared_blocks_of_two_sizes_are_not_folded(folding):
    body = "shared f = f: unit; output x -> f -> batch_norm -> relu -> max_pool(2) -> f -> relu"
    found = folding(body, UNIT)
    assert found.steps == (After(Layer("f.conv"), norm("f.bn")),)
    assert "batch_norm.weight" in names(found)


def test_identity_blocks_do_not_stop_folding(folding):
    blocks = "block nothing { identity }; block same { nothing }"
    found = folding("output x -> [conv: conv(4, 3), same] -> add -> same -> bn: batch_norm", blocks)
    assert found.steps == (
        Merge(Layer("conv"), IDENTITY, (1, 1), (1, 1)),
        After(Layer("conv"), STATISTICS),
    )
    assert len(found.compiled.inference.nodes) == 2


def test_calls_of_one_block_are_inlined_one_by_one(folding):
    found = folding("output x -> a: unit -> relu -> b: unit -> last: batch_norm", UNIT)
    calls = [node for node in found.compiled.inference.nodes if node.callee is not None]
    assert [node.instance.key for node in calls] == ["a"]
    assert {"a.conv.bias", "b.conv.bias"} < {*names(found)}


def test_blocks_are_not_inlined_without_a_fold(folding):
    blocks = "block f { conv(4, 3) }; block g { input x; output x -> [identity, relu] -> add }"
    found = folding("output x -> f -> g -> f -> relu", blocks)
    assert found.compiled.inference is found.whole.inference


@pytest.mark.parametrize("looks", [0, 1, 3, 10])
def test_layers_beyond_the_search_limit_are_not_folded(folding, monkeypatch, looks):
    statements = "y0 = x; " + "; ".join(
        f"y{i + 1} = y{i} -> c{i}: conv(4, 1) -> n{i}: batch_norm -> relu" for i in range(4)
    )
    monkeypatch.setattr("archspec.passes.folding.fold.SEARCH_LIMIT", looks)
    found = folding(f"{statements}; output y4")
    layers = {step.layer.owner for step in found.steps}
    assert layers == {f"c{i}" for i in range(len(layers))}
    assert len(layers) < 4 or looks == 10
    assert {f"n{i}.weight" for i in range(len(layers), 4)} <= set(names(found))


def test_repeatedly_doubled_sums_are_followed_up_to_a_limit(folding):
    lines = "; ".join(f"y{i + 1} = y{i} + y{i}" for i in range(200))
    assert not folding(f"y0 = x; {lines}; output y200").steps
    text = "y0 = x -> c: conv(4, 1); y1 = y0 + y0; y2 = y1 * 2 + y1; output y2"
    assert not folding(text).steps  # no name would show whether its weights are folded
    found = folding(f"{text}; output z = x -> d: conv(4, 1) -> batch_norm")
    assert After(Layer("c"), Scale(6.0)) in found.steps
