"""What is said of the signatures of random rules holds for numbers.

A signature that is proved for all integers is kept by each expansion that works, for each of a
range of them; where one is refused, the expansion for the integers that are named breaks it. Of a
recursion, one of those that are named need do so: what a step promises may rest on a false promise
of the step before. Expansions are made without the signature and without symbols.
"""

from __future__ import annotations

import re

from hypothesis import HealthCheck, Phase, event, given, settings

from archspec.diagnostics.model import Diagnostic
from archspec.network import Network
from archspec.semantics.compile import Compilation, check
from archspec.source import Source
from tests.property.signatures import RandomRule, rules
from tests.property.test_programs import EXPLORE

GRID = [(n, w) for n in range(6) for w in range(1, 5)]
SIZE = re.compile(r"(\w+) = (\d+)")
SIZES = {"B": 2, "C": 3, "H": 12, "W": 9}


def expanded(rule: RandomRule, values: dict[str, int]) -> list[list[int]] | None:
    """The sizes of what it yields for numbers, without B; None where it cannot be expanded."""
    sizes = ", ".join(str(values[name]) for name in "BCHW")
    call = f"f({values['n']}, {values['w']})"
    text = f"{rule.unsigned}\nnetwork net {{ input x: f32[{sizes}]\n output x -> {call} }}"
    compilation = Compilation()
    compiled = compilation.network(compilation.load(Source("random.arch", text)), "net")
    if compiled is None or compilation.sink.failed:
        return None
    types = Network(compiled, ()).outputs[0].types
    return [[size.evaluate({}) for size in kind.shape[1:]] for kind in types]


def said_of(rule: RandomRule) -> tuple[Diagnostic, ...]:
    """What is said of its signature, where nothing expands it."""
    return check(Source("random.arch", rule.signed)).diagnostics


def promised(rule: RandomRule, values: dict[str, int]) -> list[list[int]]:
    """The sizes of what is promised for numbers."""
    texts = [
        re.sub(r"if (.*) then (.*) else (.*)", r"((\2) if \1 else (\3))", text)
        for text in (rule.count, *rule.promise)
    ]
    count, *sizes = (eval(text, {}, dict(values)) for text in texts)  # of our own making
    return [sizes] * count


@settings(
    max_examples=120 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(rule=rules())
def test_signatures_hold_for_numbers(rule: RandomRule) -> None:
    said = said_of(rule)
    codes = sorted({item.code for item in said})
    event(", ".join(codes) or "proved")
    assert set(codes) <= {"N0501", "E0506", "E0401", "E0402"}, (codes, rule.signed)
    if not codes:
        for n, w in GRID:
            values = SIZES | {"n": n, "w": w}
            found = expanded(rule, values) if n >= rule.least else None
            assert found in (None, promised(rule, values)), (values, rule.signed)
    named = [
        SIZES | {"n": rule.least, "w": 1} | {name: int(size) for name, size in SIZE.findall(note)}
        for item in said
        for note in item.notes
        if item.code == "E0506"
    ]
    if named:
        broken = [values for values in named if expanded(rule, values) != promised(rule, values)]
        assert broken if rule.recursive else broken == named, (named, rule.signed)
