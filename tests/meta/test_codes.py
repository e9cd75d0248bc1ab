"""Every code that the source uses has a page, every page is used, and pages keep their form."""

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


@pytest.mark.parametrize("page", catalogue.pages().values(), ids=lambda page: page.code)
def test_a_page_says_what_why_and_what_instead(page):
    headings = re.findall(r"^## (.+)$", page.text, re.MULTILINE)
    assert headings == ["What", "Why", "Example", "Instead"]
    assert "```arch" in page.text or "```" in page.text
    assert page.title
    assert page.title[0] == page.title[0].lower() or page.title.split()[0].isupper()
