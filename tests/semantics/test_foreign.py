"""Names and calls of other frameworks: the message has our equivalent, and the fix compiles."""

import pytest

from archspec.diagnostics.changes import apply
from archspec.ops.registry import all_ops
from archspec.semantics.compile import check
from archspec.semantics.foreign import rows
from archspec.semantics.foreign.words import ACTIVATIONS, ADVICE, INITIALISERS
from archspec.semantics.program.foreign_names import _OPS, _TYPES, _WORDS
from archspec.semantics.program.library_names import modules_of_names
from archspec.semantics.program.op_attributes import attribute_names
from archspec.source import Source, Span
from archspec.types.initialiser import INITIALISERS as OURS

NET = "network net {{\n  input x: f32[B = 1, 8, H = 8, W = 8]\n  {}\n  output y = x -> relu\n}}\n"

TABLES = {
    "classes": rows.classes(),
    "keras": rows.keras(),
    "functions": rows.functions(),
    "methods": rows.methods(),
    "others": rows.others(),
}
ROWS = [
    pytest.param(row, id=f"{table}-{name}")
    for table, found in TABLES.items()
    for name, row in found.items()
]


def found(line):
    return check(Source("a.arch", NET.format(line))).diagnostics


def fixes(line):
    return [(item.code, item.fix.message if item.fix else None) for item in found(line)]


def mended(line):
    """The line after the fix of its only error, which then has none."""
    source = Source("a.arch", NET.format(line).replace("x -> relu\n}", "a\n}"))
    item = next(item for item in check(source).diagnostics if item.fix and item.fix.edits)
    text = apply(item.fix.edits, Span(source, 0, len(source.text)))
    return text.split("\n")[2].strip()


@pytest.mark.parametrize("row", ROWS)
def test_each_row_names_attributes_that_its_op_has(row):
    if row.op and not row.module:
        names = attribute_names(all_ops()[row.op])
        assert [s.ours for s in row.slots if s.kind == "attribute" and s.ours not in names] == []
    if row.module:
        assert modules_of_names()[row.op] == f"std.{row.module}"


def test_suggested_replacements_exist():
    assert set(ACTIVATIONS.values()) <= set(all_ops())
    assert set(INITIALISERS.values()) <= set(OURS)


@pytest.mark.parametrize("name", [name for name, row in rows.classes().items() if row.op])
def test_classes_are_named_with_the_op(name):
    row = rows.classes()[name]
    (item, *_) = found(f"a = x -> nn.{name}()")
    assert item.code == "E0210"
    assert f"`{row.op}`" in item.message


@pytest.mark.parametrize("name", ADVICE)
def test_classes_without_an_op_have_advice(name):
    (item, *_) = found(f"a = x -> nn.{name}()")
    assert (item.code, item.fix.message) == ("E0210", ADVICE[name])


@pytest.mark.parametrize(
    ("foreign", "written"),
    [
        ("a = x -> nn.Conv2d(8, 16, 3)", "a = x -> conv(16, 3, padding=0)"),
        ("a = x -> nn.Conv2d(8, 16, (3, 3), 2, 1)", "a = x -> conv(16, 3, 2, 1)"),
        ("a = x -> Conv2d(16, 3)", "a = x -> conv(16, 3, padding=0)"),
        ("a = x -> torch.nn.BatchNorm2d(8, affine=False)", "a = x -> batch_norm(affine=false)"),
        ("a = x -> nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))", "a = x -> relu -> max_pool(2)"),
        ("a = 2 * F.relu(x)", "a = 2 * (x -> relu)"),
        ("a = F.relu(F.avg_pool2d(x, 2))", "a = x -> avg_pool(2) -> relu"),
        ("a = torch.cat((x, x), dim=1)", "a = (x, x) -> concat(axis=1)"),
        ("a = x.view(B, -1)", "a = x -> reshape(B, -1)"),
        ("a = x.view(x.size(0), -1)", "a = x -> reshape(B, -1)"),
        ("a = x.permute(0, 2, 3, 1).flatten(1)", "a = x -> permute(0, 2, 3, 1) -> flatten(1)"),
        ("a = x.mean((2, 3))", "a = x -> mean(axis=[2, 3])"),
        ("a = x -> layers.Conv2D(8, 3, name=stem)", "a = x -> stem: conv(8, 3, padding=0)"),
        ("a = layers.Add()([x, x])", "a = (x, x) -> add"),
        ("a = x -> Activation(relu)", "a = x -> relu"),
        ("a = x -> softmax(dim=1)", "a = x -> softmax(axis=1)"),
        ("a = x -> conv(16, 3, activation=relu)", "a = x -> conv(16, 3) -> relu"),
        ("a = x -> conv(16 / 2, 3)", "a = x -> conv(16 // 2, 3)"),
        ("a = x -> conv(in_channels=8, out_channels=4, kernel_size=1)", "a = x -> conv(4, 1)"),
        ("a = x -> conv(16, 3, bias=None)", "a = x -> conv(16, 3, bias=false)"),
        ("a = relu(conv(8, 3)(x))", "a = x -> conv(8, 3) -> relu"),
        ("a = x -> for i in range(3) { relu }", "a = x -> for i in 0..3 { relu }"),
        ("a = x[:, 0]", "a = x -> select(axis=1, index=0)"),
        ("a = x[:, 1:3]", "a = x -> slice(axis=1, start=1, stop=3)"),
        ("a = [x, x] -> concat", "a = (x, x) -> concat"),
        ("a = x -> global_avg_pool -> conv(8, 1)",
         "a = x -> global_avg_pool(keepdim=true) -> conv(8, 1)"),
    ],
)  # fmt: skip
def test_fix_is_the_archspec_equivalent(foreign, written):
    assert mended(foreign) == written


@pytest.mark.parametrize("name", sorted(modules_of_names()))
def test_library_block_without_a_use(name):
    module = modules_of_names()[name]
    if module != "std.combinators":
        (item, *_) = found(f"a = x -> {name}")
        assert f"write `use {module} {{ {name} }}` at the top" in item.fix.message


def test_name_is_added_to_an_existing_use():
    text = "use std.cnn { conv_bn }\n\n" + NET.format("output a = x -> conv_bn_relu(8)")
    source = Source("a.arch", text)
    (item,) = check(source).diagnostics
    after = apply(item.fix.edits, Span(source, 0, len(text)))
    assert after.startswith("use std.cnn { conv_bn, conv_bn_relu }\n")


@pytest.mark.parametrize(("name", "op"), _OPS.items())
def test_ops_of_another_name(name, op):
    assert op in all_ops()
    assert name not in all_ops()
    (item, *_) = found(f"a = x -> {name}")
    assert f"`{op}`" in item.message + item.fix.message


@pytest.mark.parametrize(("name", "kind"), _TYPES.items())
def test_element_types_of_another_name(name, kind):
    (item, *_) = found(f"a = x -> cast({name})")
    assert item.fix.edits[0].text == kind


@pytest.mark.parametrize(("name", "expected"), _WORDS.items())
def test_words_of_other_languages(name, expected):
    (item, *_) = found(f"a = {name.capitalize() if name == 'none' else name}")
    assert item.code == "E0210" or name == "lambda"
    assert item.fix.message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a = x -> conv(8, 3, strid=1)", "did you mean `stride`?"),
        ("a = x -> self.relu", "write `relu`, without `self.`"),
        ("a = x -> for i in 3 { relu }", "a range is written `0..3`"),
        ("for i in 0..3 { relu }", "`y = x -> for ..`"),
        ("if training { a = x }", "`a = if c { .. } else { .. }`"),
        ("a = x -> nn.NLLLoss()", "it belongs to training"),
        ("a = x -> nn.CrossEntropyLoss()", "write `cross_entropy`"),
    ],
)
def test_the_message_has_the_replacement(line, expected):
    ((_, fix),) = fixes(line)
    assert fix is not None
    assert expected in fix


def test_no_suggestion_without_a_similar_name():
    assert fixes("a = qqq.zzz") == [("E0210", None)]


def test_fix_that_would_not_help_becomes_a_note():
    (item,) = found("a = (x -> nn.Flatten(), x -> flatten) -> concat(axis=7)")[:1]
    assert item.fix.edits == ()
