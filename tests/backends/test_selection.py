"""Checkpoints as published: with nested entries, wrappers and keys other than the model's."""

import copy
import re

import pytest
import torch

from tests.backends.test_weights import NET, refused, same, write


@pytest.fixture
def net(network):
    return network(NET)


@pytest.fixture
def state(net):
    return net.to_torch(seed=7).state_dict()


@pytest.fixture
def other(state):
    return {name: torch.zeros_like(value) for name, value in state.items()}


def below(prefix, state):
    return {f"{prefix}.{name}": value for name, value in state.items()}


def loads(net, state, given, change, **taking):
    with pytest.warns(UserWarning, match=f"net are from .*{re.escape(change)}$"):
        same(net.to_torch(weights=given, **taking), state)


@pytest.mark.parametrize(
    ("wrapped", "entry"),
    [
        (lambda state: {"ema": {"state_dict": state}}, "ema.state_dict"),
        (lambda state: {"epoch": 3, "a": {"b": {"c": state}}}, "a.b.c"),
        (lambda state: {"model": state, "scaler": {"scale": torch.ones(())}}, "model"),
        (lambda state: {"criterion": {"weight": torch.ones(3)}, "anything": state}, "anything"),
        (lambda state: {"optimizer": {"state": {0: {"step": torch.ones(())}}}, "w": state}, "w"),
    ],
)
def test_matching_entry_is_found(net, state, tmp_path, wrapped, entry):
    loads(net, state, write(wrapped(state), tmp_path / "w.pth"), f"w.pth, entry `{entry}`")


def test_several_matching_entries_are_an_error(net, state, other, tmp_path):
    path = write({"model": other, "model_ema": state, "epoch": 1}, tmp_path / "w.pth")
    item = refused(net.to_torch, weights=path)
    assert item.code == "E0841"
    assert "several: `model`, `model_ema`" in item.message
    assert item.fix.message == 'select one: `entry="model"`, `--entry model`'
    loads(net, state, path, "entry `model_ema`", entry="model_ema")
    loads(net, other, path, "entry `model`", entry="model")
    same(net.to_torch(weights=net.read_weights(path, entry="model_ema")), state)


def test_without_a_match_the_usual_entry_is_reported(net, state, other):
    del state["fc.bias"]
    del other["fc.bias"]
    item = refused(net.to_torch, weights={"extra": other, "model": state})
    assert item.message == "weights do not fit `net`: 1 missing"
    assert "entry `model`" in item.notes[0]


def test_missing_entry(net, state):
    item = refused(net.to_torch, weights={"model": state, "ema": state}, entry="emma")
    assert item.code == "E0841"
    assert item.notes == ("it has `model`, `ema`",)
    assert item.fix.message == "did you mean `ema`?"
    assert refused(net.to_torch, weights=state, entry="model").code == "E0841"


def test_averaged_models(net):
    module = net.to_torch(seed=2)
    averaged = torch.optim.swa_utils.AveragedModel(module)
    given = averaged.state_dict()
    assert "n_averaged" in given
    loads(net, module.state_dict(), given, "names without `module.`, left out `n_averaged`")
    parallel = torch.nn.DataParallel(averaged).state_dict()
    loads(net, module.state_dict(), parallel, "names without `module.module.`, left out "
          "`module.n_averaged`")  # fmt: skip


def test_lightning_files(net, state, tmp_path):
    file = {
        "epoch": 3,
        "state_dict": below("model", state) | {"criterion.weight": torch.ones(4)},
        "hyper_parameters": {"rate": 0.1},
        "optimizer_states": [{"state": {0: {"step": torch.ones(())}}}],
    }
    change = "entry `state_dict`, names without `model.`, left out `criterion.weight`"
    loads(net, state, write(file, tmp_path / "last.ckpt"), change)


def test_several_matching_parts_are_an_error(net, state, other):
    given = {
        "state_dict": below("model", other) | below("ema.module", state) | {"s": torch.ones(1)}
    }
    item = refused(net.to_torch, weights=given)
    assert item.code == "E0841"
    assert "`model`, `ema.module`" in item.message
    loads(net, state, given, "entry `ema.module`", entry="ema.module")
    loads(net, state, given, "entry `state_dict.ema.module`", entry="state_dict.ema.module")
    loads(net, other, given, "names without `model.`, left out `s`", ignore="ema.*")


def test_unknown_names_are_ignored_only_outside_of_the_prefix(net, state):
    given = below("module", state) | {"teacher.weight": torch.ones(2)}
    loads(net, state, given, "names without `module.`, left out `teacher.weight`")
    item = refused(net.to_torch, weights=given | {"module.more": torch.ones(2)})
    assert item.message == "weights do not fit `net`: 1 unexpected"
    item = refused(net.to_torch, weights=state | {"teacher.weight": torch.ones(2)})
    assert item.message == "weights do not fit `net`: 1 unexpected"


def test_ignored_names_are_reported(net, state):
    given = state | {"criterion.weight": torch.ones(4), "criterion.bias": torch.ones(4)}
    loads(net, state, given, "2 names matching `criterion.*` ignored", ignore=["criterion.*"])
    item = refused(net.to_torch, weights=given, ignore="loss.*")
    assert (item.code, item.message) == ("E0842", "no name in a state dict matches `loss.*`")


@pytest.mark.parametrize(
    ("rename", "renamed"),
    [
        ({"backbone.first": "stem", "head": "fc"}, {"stem": "backbone.first", "fc": "head"}),
        ({"net": ""}, {"stem": "net.stem", "fc": "net.fc", "grid": "net.grid"}),
        ({"head.*": "fc.*"}, {"fc": "head"}),
        ([("a.b", "fc")], {"fc": "a.b"}),
    ],
)
def test_renamed_names_are_reported(net, state, rename, renamed):
    given = {}
    for name, value in state.items():
        first, dot, rest = name.partition(".")
        given[renamed.get(first, first) + dot + rest] = value
    with pytest.warns(UserWarning, match="names? renamed from `|removed from|added to"):
        same(net.to_torch(weights=given, rename=rename), state)


def test_renaming_in_the_middle_of_names(net, state):
    given = {name.replace(".bn.", ".norm."): value for name, value in state.items()}
    loads(net, state, given, "5 names renamed from `*.norm.*` to `*.bn.*`",
          rename={"*.norm.*": "*.bn.*"})  # fmt: skip


def test_renaming_that_matches_nothing_or_too_much(net, state):
    assert refused(net.to_torch, weights=state, rename={"body": "stem"}).code == "E0842"
    item = refused(net.to_torch, weights=state, rename={"fc.weight": "fc.bias"})
    assert item.message == "renaming `fc.weight` to `fc.bias` gives two tensors the name `fc.bias`"


def test_selection_arguments_require_weights(net, state):
    with pytest.raises(TypeError, match="'entry' selects weights"):
        net.to_torch(entry="model")
    with pytest.raises(TypeError, match="no keyword argument 'entri'"):
        net.to_torch(weights=state, entri="model")


def test_folded_networks_and_columns_accept_the_same_selections(net, state, tmp_path):
    module = net.to_torch(seed=7).eval()
    path = write({"model": copy.deepcopy(state), "ema": {"state_dict": state}}, tmp_path / "w.pth")
    folded = net.fold()
    assert refused(folded.to_torch, weights=path).code == "E0841"
    with pytest.warns(UserWarning, match="w.pth, folded, entry `ema.state_dict`"):
        small = folded.to_torch(weights=path, entry="ema.state_dict").eval()
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(small(x), module(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("entry", ["ema", "ema.", "ema.state_dict"])
def test_state_dict_inside_of_the_entry_is_found(net, state, other, tmp_path, entry):
    held = {"model": other, "ema": {"state_dict": state, "decay": 0.9}}
    path = write(held, tmp_path / "w.pth")
    loads(net, state, path, "entry `ema.state_dict`", entry=entry)


def test_matching_one_of_several_in_the_entry_is_used(net, state, other, tmp_path):
    held = {"ema": {"net": state, "loss": {"weight": torch.ones(2)}}, "model": other}
    loads(net, state, write(held, tmp_path / "w.pth"), "entry `ema.net`", entry="ema")
    both = write({"ema": {"net": state, "old": other}}, tmp_path / "both.pth")
    item = refused(net.to_torch, weights=both, entry="ema")
    assert item.code == "E0841"
    assert item.fix.message == 'select one: `entry="ema.net"`, `--entry ema.net`'


@pytest.mark.parametrize(
    ("rename", "change"),
    [
        ({"backbone": ""}, "`backbone.` removed from "),
        ({"backbone.": ""}, "`backbone.` removed from "),
        ({"backbone.*": "*"}, "renamed from `backbone.*` to `*`"),
        ([("backbone.", "body."), ["body", ""]], "`body.` removed from "),
        ({"": "x", "x.backbone": ""}, "`x.` added to "),
    ],
)
def test_prefix_is_removed_or_added(net, state, rename, change):
    found = net.read_weights(below("backbone", state), rename=rename)
    assert any(change in item for item in found.liberties)
    same(net.to_torch(weights=found), state)


@pytest.mark.parametrize(
    ("taking", "fault"),
    [
        ({"entry": 3}, TypeError),
        ({"entry": b"ema"}, TypeError),
        ({"entry": ""}, ValueError),
        ({"ignore": 3}, TypeError),
        ({"ignore": [3]}, TypeError),
        ({"ignore": {"a": 1}}, TypeError),
        ({"ignore": ""}, ValueError),
        ({"ignore": ["a", ""]}, ValueError),
        ({"rename": 3}, TypeError),
        ({"rename": "a=b"}, TypeError),
        ({"rename": [1]}, TypeError),
        ({"rename": ["ab"]}, TypeError),
        ({"rename": [("a", "b", "c")]}, TypeError),
        ({"rename": {"a": 3}}, TypeError),
        ({"rename": {3: "a"}}, TypeError),
        ({"rename": {"": ""}}, ValueError),
        ({"rename": {"a": "a."}}, ValueError),
        ({"rename": {"a.*": ""}}, ValueError),
        ({"rename": {"a": "*"}}, ValueError),
    ],
    ids=str,
)
def test_invalid_selections_for_any_file(net, state, taking, fault):
    (name,) = taking
    for call in (net.read_weights, lambda given, **more: net.to_torch(weights=given, **more)):
        with pytest.raises(fault, match=f"^(a pattern of )?{name}|^a pattern of {name}"):
            call(state, **taking)
