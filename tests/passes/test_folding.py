"""What is folded, what is not, and what stays of a network."""

import pytest

import archspec
from archspec.analysis.parameters import table
from archspec.passes.folding.fold import fold
from archspec.passes.folding.steps import After, Before, Factor, Layer, Merge, Offset, Statistics
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


STATISTICS = Statistics("bn", 1e-5)


def test_behind_a_layer_a_norm_becomes_its_bias(folding):
    found = folding("output x -> conv: conv(8, 3, bias=false) -> bn: batch_norm -> relu")
    assert found.steps == (After(Layer("conv"), STATISTICS),)
    assert names(found) == ["conv.weight", "conv.bias"]
    assert [node.instance.title for node in found.compiled.inference.nodes if node.instance] == [
        "conv",
        "relu",
    ]


def test_in_front_of_a_layer_a_norm_goes_forward(folding):
    found = folding("output x -> relu -> bn: batch_norm -> conv: conv(8, 1, groups=2)")
    assert found.steps == (Before(Layer("conv", groups=2), STATISTICS),)
    assert names(found) == ["conv.weight", "conv.bias"]


def test_a_layer_between_two_norms_takes_both(folding):
    found = folding("output x -> bn: batch_norm -> conv: conv(8, 1) -> last: batch_norm")
    assert [type(step) for step in found.steps] == [Before, After]


def test_over_an_edge_only_a_factor_goes_forward(folding):
    padded = "-> conv: conv(8, 3)"
    assert not folding(f"output x -> bn: batch_norm {padded}").steps
    scaled = folding(f"param g: f32[4, 1, 1] = ones; output x * g {padded}")
    assert scaled.steps == (Before(Layer("conv"), Factor("g")),)
    assert not folding(f"param g: f32[4, 1, 1] = ones; output x + g {padded}").steps


def test_orders_of_axes_between_are_followed_and_cancel(folding):
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


def test_another_axis_than_that_of_the_channels_stays(folding):
    assert not folding("output x -> linear(8) -> batch_norm", size="9").steps
    assert not folding("param g: f32[9] = ones; output (x -> conv(8, 3)) * g", size="9").steps


def test_what_something_else_reads_stays(folding):
    kept = "y = x -> conv(4, 3)"
    assert not folding(f"{kept}; output (y -> batch_norm) + y").steps
    assert not folding(f"{kept}; output y -> batch_norm; output raw = y").steps


def test_statistics_of_the_batch_stay(folding):
    assert not folding("output x -> conv(4, 3) -> batch_norm(track=false)").steps


def test_weight_normalisation_stays(folding):
    assert not folding("output x -> conv(4, 3, parametrization=weight_norm) -> batch_norm").steps


def test_weights_that_are_used_twice_stay(folding):
    twice = "shared f = conv(4, 3); output x -> f -> relu -> f -> batch_norm"
    assert not folding(twice).steps
    norm = "shared n = batch_norm; output x -> conv(4, 3) -> n -> relu -> conv(4, 3) -> n"
    assert not folding(norm).steps


def test_a_shared_block_is_folded_inside(folding):
    found = folding(
        "shared f = unit; output x -> f -> max_pool(2) -> f",
        "block unit { conv(4, 3) -> bn: batch_norm }",
    )
    assert found.steps == (After(Layer("unit.conv"), Statistics("unit.bn", 1e-5)),)


def test_convolutions_of_one_input_add_up(folding):
    found = folding(
        """output x -> [
          large: conv(same, 7, groups=each, bias=false) -> bn: batch_norm,
          small: conv(same, 3, dilation=2, groups=each),
          point: conv(same, 1, groups=each, bias=false),
          identity,
        ] -> add"""
    )
    assert found.steps[1:] == (
        Merge("large", "small", (1, 1), (2, 2)),
        Merge("large", "point", (3, 3), (1, 1)),
    )
    assert names(found) == ["large.weight", "large.bias"]
    assert len(found.compiled.inference.nodes[-1].inputs) == 2  # the sum with what came in


@pytest.mark.parametrize(
    "other",
    [
        "conv(4, 5, stride=2)",  # another step
        "conv(4, 3, groups=2, stride=2)",  # other groups
        "conv(4, 9, padding=4, stride=2, padding_mode=circular)",
        "relu -> conv(4, 3, stride=2)",  # another input
    ],
)
def test_other_convolutions_do_not(folding, other):
    body = f"output x -> [conv(4, 7, stride=2, padding=3), {other}] -> add"
    merged = [step for step in folding(body).steps if isinstance(step, Merge)]
    assert bool(merged) == (other == "conv(4, 5, stride=2)")


def test_taps_outside_of_the_larger_kernel_do_not(folding):
    body = "output x -> [conv(4, 3), conv(4, 3, dilation=2)] -> add"
    assert not folding(body).steps


def test_blocks_are_opened_where_their_ends_meet_a_norm(folding):
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
    # the frames of what was opened say where it was called
    (linear,) = (n for n in found.compiled.inference.nodes if n.op and n.op.name == "linear")
    assert [frame.what for frame in linear.origin.frames] == ["window", "wrapped"]


def test_other_blocks_stay_closed_and_shared(folding):
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


def test_dropout_between_does_nothing_in_inference(folding):
    assert folding("output x -> conv(4, 3) -> dropout(0.5) -> batch_norm").steps


def test_what_stands_in_regions_stays(folding):
    found = folding(
        "output x -> iterate(conv(4, 3) -> batch_norm, 2)",
    )
    assert not found.steps


def test_forty_columns_fold_without_expanding():
    whole = compiled(fractal(40))
    assert fold(whole).compiled.inference is not None


def test_without_anything_to_fold_the_graph_is_the_same(folding):
    found = folding("output x -> conv(4, 3) -> relu")
    assert found.compiled.inference is found.whole.inference
    assert found.compiled.name == "net_folded"


def test_valid_sizes_stay(tmp_path):
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
