"""The page about training does what it says, with less data than on the page."""

import csv
import re
from pathlib import Path

import pytest
import torch

import archspec

PAGE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "trainer.md"
BLOCK = re.compile(r"^```(arch|text|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
(SPEC,) = (text for kind, text in BLOCKS if kind == "arch")
DATA, WEIGHTS, TRAINING, RESUMING, EXPORT = (text for kind, text in BLOCKS if kind == "python")


def test_from_the_network_to_its_export(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    Path("digit_maps.arch").write_text(SPEC, encoding="utf-8")
    resnet = archspec.load("resnet18").to_torch(seed=5).state_dict()
    torch.save(resnet, "resnet18-f37072fd.pth")

    space = {}
    exec(DATA + WEIGHTS, space)
    assert torch.equal(space["model"].net.encoder.conv1.weight, resnet["conv1.weight"])
    labels = space["scenes"](4, seed=0)["labels"]
    assert 0 < (labels > 0).float().mean() < 0.5
    assert labels.max() <= 10

    fewer = TRAINING.replace("200", "8").replace("scenes(50", "scenes(2").replace("= 4", "= 2")
    exec(fewer.replace("batch_size=8", "batch_size=4"), space)
    assert len(space["trainer"].history) == 2
    assert Path("run/history.svg").stat().st_size
    space["epochs"] = 3
    exec(RESUMING, space)
    assert len(space["trainer"].history) == 3
    with Path("run/log.csv").open(encoding="utf-8") as file:
        (columns, *rows) = csv.reader(file)
    assert len(rows) == 3
    assert f"| {' | '.join(columns)} |" in PAGE.read_text(encoding="utf-8")

    with pytest.warns(UserWarning, match="entry `model`"):
        exec(EXPORT, space)
    assert space["logits"].shape == (2, 11, 64, 64)
    torch.testing.assert_close(space["logits"], space["model"](space["test"]["image"]))
    torch.testing.assert_close(space["program"].module()(space["test"]["image"]), space["logits"])
