"""The examples in the docs and in the pages of diagnostics do what the text says.

A code block of the docs is checked as a file, and built for both targets if it has no error. A
comment `# error: E0402` or `# warning: W0401` at the end of a line states what is reported there;
nothing else may be reported.
"""

import re
from pathlib import Path

import pytest

from archspec.cli.check import examine
from archspec.diagnostics import catalogue
from archspec.diagnostics.model import Severity
from archspec.diagnostics.text import render
from archspec.network import TARGETS
from archspec.semantics.compile import Compilation
from archspec.semantics.program.definitions import networks
from archspec.source import Source
from archspec.targets.building import build_targets
from archspec.targets.preflight import is_reserved

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```arch(?: [^\n]*)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.arch"))
EXPECTED = re.compile(r"# (error|warning): ([EW]\d{4})")


def documented():
    for path in [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]:
        text = path.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            yield pytest.param(match[1], id=f"{path.name}:{line}")


def expected(text):
    return [
        (number, match[2])
        for number, line in enumerate(text.splitlines(), 1)
        for match in EXPECTED.finditer(line)
    ]


def found(text, least=Severity.WARNING):
    items = examine(Source("example.arch", text)).diagnostics
    shown = [item for item in items if least is Severity.NOTE or item.severity is not Severity.NOTE]
    return [(item.primary.span.line, item.code) for item in shown], render(items)


@pytest.mark.parametrize("text", list(documented()))
def test_documented(text):
    reported, drawn = found(text)
    assert reported == expected(text), drawn


def build(text, folder):
    """Write each network for both targets; the TorchScript file is loaded and run."""
    compilation = Compilation(reserved=is_reserved)
    scope = compilation.load(Source("example.arch", text))
    for name in networks(scope):
        compiled = compilation.network(scope, name)
        build_targets(compiled, folder, {name: {} for name in TARGETS}, seed=0)
        assert (folder / f"{name}.py").stat().st_size
        assert (folder / f"{name}.torchscript.pt").stat().st_size


@pytest.mark.parametrize("text", [case for case in documented() if "# error" not in case.values[0]])
def test_documented_examples_are_built(text, tmp_path):
    build(text, tmp_path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_files_of_examples_are_built(path, tmp_path):
    text = path.read_text(encoding="utf-8")
    assert found(text)[0] == []
    build(text, tmp_path)


def test_every_code_block_of_a_page_is_checked():
    """Whatever follows `arch` in the opening fence."""
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    fences = sum(
        line.strip().startswith("```arch")
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
    )
    assert fences == len([*documented()]) > 40
    assert len(EXAMPLES) > 1


def explained():
    for page in catalogue.pages().values():
        head, _, instead = page.text.partition("\n## Instead\n")
        _, _, example = head.partition("\n## Example\n")
        for index, match in enumerate(BLOCK.finditer(example)):
            yield pytest.param(page.code, match[1], True, id=f"{page.code}-example-{index}")
        for index, match in enumerate(BLOCK.finditer(instead)):
            yield pytest.param(page.code, match[1], False, id=f"{page.code}-instead-{index}")


BUILDING = ("E080", "E081", "E083", "E084", "E09", "E0521")
"""Reported when a network is used, not by `check`."""


TOO_LARGE = ("E0101", "E0102", "E0106")  # a whole example would fill the page


@pytest.mark.parametrize(("code", "text", "is_example"), list(explained()))
def test_explained(code, text, is_example, tmp_path):
    reported, drawn = found(text, Severity.NOTE)
    codes = {code for _, code in reported}
    if is_example and not code.startswith((*BUILDING, *TOO_LARGE)):
        assert code in codes, drawn
    elif is_example and code == "E0521":
        assert codes == {"E0520"}, drawn
    else:
        assert codes == set(), drawn
        build(text, tmp_path)
