"""Members of a family are written together, and what they share is written once."""

from collections import Counter

import pytest

import archspec
from archspec_torch.classes import draft
from archspec_torch.source import python_source

SHARED = """
network net(classes: int = 10, drop: float = 0.5) {
  input x: f32[B = 2, 4, 6, 6]
  output y = x -> wide(8) -> wide(16) -> global_avg_pool -> dropout(drop) -> linear(classes)
}
block wide(width: int) { conv(width, 3) -> batch_norm -> relu }
"""


@pytest.fixture
def written(monkeypatch):
    """How many drafts were written of each block."""
    found = Counter()
    write = draft.write_draft

    def counted(layout, known, construct):
        found[layout.unit.either.name] += 1
        return write(layout, known, construct)

    monkeypatch.setattr(draft, "write_draft", counted)
    return found


def test_blocks_that_do_not_depend_on_a_parameter_are_written_once(network, written):
    text, _ = python_source(network(SHARED).compiled)
    assert "classes: int = 10, drop: float = 0.5" in text
    assert written == {"wide": 2, "net": 3}


def test_parameters_that_cannot_be_arguments_are_found_at_once(written):
    """Widths, depths and the size of EfficientNet are fixed: other values are other blocks."""
    text, _ = python_source(archspec.load("efficientnet_b0").compiled)
    assert "*, drop: float = 0.2, stochastic: float = 0.2, classes: int = 1000)" in text
    assert written["efficientnet"] == 5  # the network and four members, though written twice
