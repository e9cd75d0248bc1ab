"""Every code used in the source has a page, every page is used, and pages have the same form.

Errors in a text have a location.
"""

import ast
import re
from pathlib import Path

import pytest

from archspec.diagnostics import catalogue

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[\"']([EWN]\d{4})[\"']")


def used():
    found = {}
    for folder in (ROOT / "archspec", ROOT / "backends"):
        for path in sorted(folder.rglob("*.py")):
            for code in CODE.findall(path.read_text(encoding="utf-8")):
                found.setdefault(code, path.relative_to(ROOT))
    return found


def test_every_code_has_a_page():
    assert {code: str(path) for code, path in used().items() if code not in catalogue.pages()} == {}


def test_every_page_is_used():
    assert sorted(catalogue.pages().keys() - used().keys()) == []


def without_place(text):
    """The codes of diagnostics created without a span."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "diagnostic":
            named = {item.arg for item in node.keywords}
            if len(node.args) < 3 and "span" not in named:
                yield ast.literal_eval(node.args[0])


@pytest.mark.parametrize("folder", ["syntax", "types", "ops", "graph", "semantics"])
def test_errors_in_a_text_have_a_location(folder):
    """E0804 is about a file named on the command line that cannot be read."""
    for path in sorted((ROOT / "archspec" / folder).rglob("*.py")):
        found = set(without_place(path.read_text(encoding="utf-8")))
        assert found <= {"E0804"}, path.relative_to(ROOT)


def test_diagnostic_without_a_location_is_found():
    text = 'diagnostic("E0101", "a", notes=())\ndiagnostic("E0102", "b", span)'
    assert [*without_place(text)] == ["E0101"]


@pytest.mark.parametrize("page", catalogue.pages().values(), ids=lambda page: page.code)
def test_pages_explain_error_reason_and_fix(page):
    headings = re.findall(r"^## (.+)$", page.text, re.MULTILINE)
    assert headings == ["What", "Why", "Example", "Instead"]
    assert "```arch" in page.text or "```" in page.text
    assert page.title
    assert page.title[0] == page.title[0].lower() or page.title.split()[0].isupper()
