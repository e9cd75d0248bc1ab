"""Codes and their pages."""

import pytest

from archspec.diagnostics import catalogue
from archspec.diagnostics.suggest import closest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "_FOLDER", tmp_path)
    catalogue.pages.cache_clear()
    yield tmp_path
    catalogue.pages.cache_clear()


def test_page_lookup_is_case_insensitive(folder):
    (folder / "E0401.md").write_text("# E0401: does not fit\n\n## What\n", encoding="utf-8")
    page = catalogue.page(" e0401 ")
    assert (page.code, page.title) == ("E0401", "does not fit")
    assert page.text.startswith("# E0401")
    assert catalogue.page("E9999") is None
    assert catalogue.nearest("E401") == "E0401"


def test_a_page_must_begin_with_its_code(folder):
    (folder / "E0402.md").write_text("# E0401: copied\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"E0402\.md must begin with"):
        catalogue.pages()


@pytest.mark.parametrize(
    ("word", "found"), [("cnov", "conv"), ("CONV", "conv"), ("xyzzy", None), ("", None)]
)
def test_closest(word, found):
    assert closest(word, ["conv", "linear", "relu"]) == found
