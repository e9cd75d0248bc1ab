"""The parts of the documentation site generated from the source."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("mkdocs")


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_arch_code_is_highlighted(hooks, monkeypatch):
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, Name

    monkeypatch.syspath_prepend(ROOT / "docs")
    hooks.on_config(None)
    tokens = list(get_lexer_by_name("arch").get_tokens("network a { conv(3) }  # note"))
    assert {(Keyword, "network"), (Name.Function, "conv"), (Comment.Single, "# note")} <= {*tokens}


def test_comments_in_examples_stay_as_they_are(hooks):
    page = "# E1: a\n\n## Example\n\n```arch\n# a comment\n## two\n```\n\n## Instead\n"
    assert hooks._demoted(page) == (
        "## E1: a\n\n**Example**\n\n```arch\n# a comment\n## two\n```\n\n**Instead**"
    )


def test_every_op_code_and_block_has_a_section(hooks):
    from archspec.cli.library import library
    from archspec.diagnostics import catalogue
    from archspec.ops.registry import all_ops

    ops, codes = hooks.ops_page(), hooks.diagnostics_page()
    blocks = hooks.standard_library_page()
    assert all(f"### {name}\n" in ops for name in all_ops())
    assert all(f"## {code}" in codes for code in catalogue.pages())
    assert all(f"### {name}\n" in blocks for name in library())


def test_keyword_only_attributes_come_after_a_star(hooks):
    ops = hooks.ops_page()
    assert "\nbatch_norm(*, eps=1e-05, " in ops
    assert "\nlinear(width, *, bias=true, " in ops
    assert "\ndropout(p=0.5)" in ops


def test_networks_have_a_section_facts_and_a_drawing():
    spec = importlib.util.spec_from_file_location("networks", ROOT / "docs" / "networks.py")
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    text, drawings = page.networks_page(
        [ROOT / "specs" / name for name in ("lenet.arch", "vgg.arch")]
    )
    assert "\n## Image classification with convolutions\n" in text
    assert "(#image-classification-with-convolutions)" in text
    assert "\n### LeNet-5\n" in text
    assert "| `lenet` | 61,706 | 417 k | B = 1 | every size |" in text
    assert "| `vgg16` | 138,357,544 |" in text
    assert "Verified against: torchvision" in text
    assert '<a href="networks/lenet.arch.txt">' in text
    assert text.count('<div class="network-family" markdown>') == text.count("</div>") - 1 == 2
    assert [name for name in drawings if drawings[name].startswith(b"<?xml")] == ["lenet", "vgg"]
