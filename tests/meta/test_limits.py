"""The limits in the docs are those of the code."""

from pathlib import Path

import pytest

from archspec.analysis.bounded import STEPS
from archspec.analysis.buildable import LARGEST_TENSOR, WEIGHT_BUDGET
from archspec.analysis.parameters import EXPANSION_BUDGET
from archspec.diagnostics import catalogue
from archspec.diagram.draw import BOX_BUDGET
from archspec.passes.expand import NODE_BUDGET
from archspec.semantics.values.budget import Limits
from archspec.syntax import limits
from archspec.types.dim import MAX_TERMS
from archspec.types.solver import BUDGET, WRITING
from archspec.types.solver.periodic import MAX_PERIOD
from archspec_torch.checks.depth import DEEPEST_OUTPUT, DEEPEST_PART

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
EXPANSION = Limits()

STATED = {
    "characters of a file": limits.MAX_CHARACTERS,
    "characters of a line": limits.MAX_LINE,
    "brackets open at once": limits.MAX_NESTING,
    "levels of the syntax tree": limits.MAX_DEPTH,
    "characters of a number": limits.MAX_DIGITS,
    "characters of a string | 1,": limits.MAX_STRING,
    "characters of a name": limits.MAX_NAME,
    "tokens in a file": limits.MAX_TOKENS,
    "syntax errors that are reported": limits.MAX_ERRORS,
    "steps: ": EXPANSION.steps,
    "ops and calls": EXPANSION.nodes,
    "specialised blocks": EXPANSION.graphs,
    "iterations of a loop": EXPANSION.iterations,
    "characters of a string | 10,": EXPANSION.characters,
    "elements of lists and characters of strings, in all": EXPANSION.elements,
    "depth of nested expansions": EXPANSION.depth,
    "steps for one question": BUDGET,
    "steps for simplifying": WRITING,
    "steps for the sizes in one report": STEPS,
    "period of a condition": MAX_PERIOD,
    "terms of a size": MAX_TERMS,
    "parameter tensors": EXPANSION_BUDGET,
    "submodules of a module": EXPANSION_BUDGET,
    "elements of the parameters": WEIGHT_BUDGET,
    "elements of one parameter tensor": LARGEST_TENSOR,
    "depth of nested modules": DEEPEST_PART,
    "depth of nested tuples": DEEPEST_OUTPUT,
    "nodes of a graph whose blocks": NODE_BUDGET,
    "boxes in a drawing": BOX_BUDGET,
}


@pytest.mark.parametrize(("words", "value"), STATED.items(), ids=STATED.keys())
def test_documented_limits_are_current(words, value):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {words}")]
    assert f"| {value:,} |" in row


def test_documented_budget_is_current():
    text = " ".join(catalogue.pages()["E0501"].text.split())
    for value in (EXPANSION.steps, EXPANSION.nodes, EXPANSION.graphs, EXPANSION.iterations):
        assert f"{value:,}" in text
    assert f"{EXPANSION.elements:,} elements and characters" in text
