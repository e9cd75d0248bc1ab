"""The page for PyTorch users: its specs compile, and compute the same as the PyTorch code."""

import re
from pathlib import Path

import pytest

import archspec
from archspec.cli.check import examine
from archspec.source import Source

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "from-pytorch.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| .+? \| (.+) \|$", re.MULTILINE)
CHAIN = re.compile(r"[a-z_]\w*(\(.*\))?|(x|\((a, b|q, k, v|x, y)\)) -> .+|\w+ [*+] .+")
WORDS = {"half", "unit", "training", "einops", "blocks"}
INPUTS = (
    "x: f32[B = 1, 16, H = 16, W = 16], y: f32[B, 3, P = 4, Q = 4]",
    "x: f32[B = 1, 16, 16], a: f32[B, 16, 16], b: f32[B, 16, 16]",
    "q: f32[B = 1, 16, 16], k: f32[B, 16, 16], v: f32[B, 16, 16], x: f32[B, 16, 64]",
    "x: i64[B = 1, T = 16]",
)


def snippets():
    cells = [text for row in ROW.findall(PAGE) for text in re.findall(r"`([^`]+)`", row)]
    for text in dict.fromkeys(cells):
        plain = not re.search(r"\.\.|[{:]|^\w+ = |padding=0", text)
        if plain and CHAIN.fullmatch(text) and not text.isupper() and text not in WORDS:
            yield text


@pytest.mark.parametrize("text", list(snippets()))
def test_specs_in_the_table_compile(text):
    chain = text if "->" in text or text.startswith("x ") else f"x -> {text}"
    chain = chain.replace("C", "16").replace("(layer)", "(conv(8, 3))")
    body = f"y, h, c = {chain}\n  output y" if text.startswith("lstm") else f"output {chain}"
    specs = [f"network n {{\n  input {given}\n  {body}\n}}\n" for given in INPUTS]
    found = [examine(Source("example.arch", spec)).failed for spec in specs]
    assert not all(found)


def test_the_page_covers_enough_forms():
    assert len(list(snippets())) >= 40


def test_both_sides_compute_the_same(tmp_path):
    torch = pytest.importorskip("torch")
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    (spec,) = [
        text for text in re.findall(r"```arch\n(.*?)```", PAGE, re.DOTALL) if "attention" in text
    ]
    one = "network one { input x: f32[B = 1, N = 5, 64]\n  output x -> a: attention(4) }\n"
    (tmp_path / "one.arch").write_text(spec + "\n" + one)
    names = {"torch": torch, "nn": torch.nn}
    exec(code, names)
    theirs, ours = names["Attention"](64, 4), archspec.load(tmp_path / "one.arch", "one").to_torch()
    ours.load_state_dict({f"a.{name}": value for name, value in theirs.state_dict().items()})
    x = torch.randn(2, 5, 64)
    torch.testing.assert_close(ours(x), theirs(x))
