"""Specs that try to take all time or memory end in a coded error, soon.

What is measured is the processor time of the check, with the parser and the ops already loaded;
the limit is generous because machines differ. Nothing here needs a second where it is written.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from archspec.diagnostics.text import render
from archspec.semantics.compile import check
from archspec.source import Source

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 4.0
MEMORY = 1_500_000_000  # address space, of which much is never used


def network(*lines):
    body = "\n".join(f"  {line}" for line in lines)
    return f"network net {{\n  input x: f32[B = 1, 8, H = 32, W = 32]\n{body}\n}}\n"


def recursive(base, step, *lines):
    return f"{base}\n{step}\n{network(*lines)}"


HOSTILE = {
    "endless recursion": (
        "E0502",
        "rule f(n) => relu -> f(n + 1)\n" + network("output x -> f(0)"),
    ),
    "recursion of two rules": (
        "E0502",
        "rule f(n) => g(n + 1)\nrule g(n) => relu -> f(n)\n" + network("output x -> f(0)"),
    ),
    "a long loop": ("E0501", network("output x -> for i in 0..1000000000 { relu }")),
    "loops in loops": (
        "E0501",
        network("output x -> for i in 0..5000 { for j in 0..5000 { relu } }"),
    ),
    "doubling strings": (
        "E0501",
        recursive(
            "rule f(0, s) => s",
            'rule f(n, s) => f(n - 1, "{s}{s}")',
            'output x -> conv(len(f(60, "ab")), 1)',
        ),
    ),
    "doubling lists": (
        "E0501",
        recursive(
            "rule f(0, s) => s",
            "rule f(n, s) => f(n - 1, [...s, ...s])",
            "output x -> conv(len(f(60, [1])), 1)",
        ),
    ),
    "squaring integers": (
        "E0314",
        recursive(
            "rule f(0, s) => s",
            "rule f(n, s) => f(n - 1, s * s)",
            "output x -> conv(f(60, 3), 1)",
        ),
    ),
    "doubling layers": (
        "E0501",
        recursive(
            "rule f(0, g) => g", "rule f(n, g) => f(n - 1, g -> g)", "output x -> f(60, relu)"
        ),
    ),
    "doubling branches": (
        "E0501",
        recursive(
            "rule f(0, g) => g",
            "rule f(n, g) => f(n - 1, [g, g] -> add)",
            "output x -> f(60, relu)",
        ),
    ),
    "nested tuples of data": (
        "E0501",
        recursive(
            "rule f(0) => identity",
            "rule f(n) => [identity, identity] -> f(n - 1)",
            "output x -> f(60) -> add",
        ),
    ),
    "nested tuples of data, inline": (
        "E0501",
        recursive(
            "inline rule f(0) => identity",
            "inline rule f(n) => [identity, identity] -> f(n - 1)",
            "output x -> f(60) -> add",
        ),
    ),
    "doubling tuples of data": (
        "E0501",
        recursive(
            "inline rule f(0) => identity",
            "inline rule f(n) => [...identity, ...identity] -> f(n - 1)",
            "output x -> f(60) -> add",
        ),
    ),
    "tuples in tuples by hand": (
        "E0501",
        network("t0 = (x, x)", *(f"t{n + 1} = (t{n}, t{n})" for n in range(60)), "output t60"),
    ),
    "wide tuples in wide tuples": (
        "E0501",
        network(
            "wide = x -> [identity for i in 0..4000]",
            "output wide -> [identity for i in 0..4000]",
        ),
    ),
    "doubling outputs": (
        "E0501",
        "inline block twice {\n  input x\n  output a = x\n  output b = x\n}\n"
        + recursive(
            "inline rule f(0) => identity",
            "inline rule f(n) => twice -> f(n - 1)",
            "output x -> f(60) -> add",
        ),
    ),
    "Ackermann": (
        "E050",
        "rule a(0, n) => n + 1\nrule a(m, 0) => a(m - 1, 1)\n"
        "rule a(m, n) => a(m - 1, a(m, n - 1))\n" + network("output x -> conv(a(3, 30), 1)"),
    ),
    "a large power": ("E0314", network("n = 2 ** 100000000", "output x -> conv(n, 1)")),
    "a tower of powers": ("E0314", network("n = 7 ** 7 ** 7 ** 7", "output x -> conv(n, 1)")),
    "a long line": ("E0101", "# " + "x" * 1_000_000 + "\n" + network("output x -> relu")),
    "a line that is just too long": ("E0102", "# " + "x" * 4_999 + "\n"),
    "nested parentheses": ("E010", network("output x -> " + "(" * 2_000 + "relu" + ")" * 2_000)),
    "nested brackets": ("E010", network("output x -> " + "[\n" * 10_000 + "relu" + "]\n" * 10_000)),
    "brackets that stay open": ("E010", network("output x -> " + "(" * 4_000)),
    "many signs": ("E0104", network("n = " + "-" * 3_000 + "1", "output x -> relu")),
    "many terms": ("E0104", network("n = " + "+".join(["1"] * 2_000), "output x -> relu")),
    "many words": ("E0106", "\n".join(["block b { relu -> relu -> relu }"] * 15_000)),
    "a path in use": ("E01", "use ../../etc/passwd\n" + network("output x -> relu")),
    "a path in a string": ("E01", 'use "../../etc/passwd"\n' + network("output x -> relu")),
    "a control character in a label": ("E", network('output x -> "a\x1b[2J": conv(8, 1)')),
    "an empty component of a label": ("E0605", network('output x -> "a..b": conv(8, 1)')),
    "a NUL": ("E", network("output x -> re\0lu")),
    "an undecidable tangle": (
        "E0410",
        network(
            "output x -> [identity, " + "max_pool(7) -> upsample(11) -> " * 12 + "relu] -> add"
        ),
    ),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("code", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_spec_is_refused_soon(code, text):
    start = time.process_time()
    items = check(Source("hostile.arch", text)).diagnostics
    spent = time.process_time() - start
    drawn = render(items, width=100)
    assert items
    assert any(item.code.startswith(code) for item in items), drawn
    assert spent < SECONDS
    assert all(character == "\n" or character.isprintable() for character in drawn)


FINE = {
    "a rule that is a function": (
        "rule c(1) => 0\nrule c(n) if n % 2 == 0 => 1 + c(n // 2)\nrule c(n) => 1 + c(3 * n + 1)\n"
        + network("output x -> conv(c(27), 1)")
    ),
    "a deep sum": network("n = " + "+".join(["1"] * 150), "output x -> conv(n, 1)"),
    "a deep network": network("output x -> for i in 0..2000 { conv(8, 1) -> relu }"),
    "2^40 nodes": recursive(
        "rule f(1) => [conv(8, 1)]",
        "rule f(c) => [conv(8, 1), ...(f(c - 1) -> join -> f(c - 1))]",
        "output x -> f(40) -> join",
    ),
    "deep brackets": network("output x -> " + "(" * 40 + "relu" + ")" * 40),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", FINE.values(), ids=FINE.keys())
def test_what_is_large_but_honest_is_accepted_soon(text):
    start = time.process_time()
    items = check(Source("large.arch", text)).diagnostics
    assert time.process_time() - start < SECONDS
    assert items == (), render(items)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are those of Linux")
@pytest.mark.parametrize("name", ["doubling strings", "nested tuples of data", "many words"])
def test_little_memory_is_enough(name, tmp_path):
    (tmp_path / "hostile.arch").write_text(HOSTILE[name][1])
    code = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}));"
        f"sys.path[:0] = [{str(ROOT)!r}];"
        "from archspec.semantics.compile import check; from pathlib import Path;"
        f"print(*[d.code for d in check(Path({str(tmp_path / 'hostile.arch')!r})).diagnostics]);"
        "status = Path('/proc/self/status').read_text();"
        "peak = int(status.partition('VmHWM:')[2].split()[0]);"
        "assert peak < 500_000, peak"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert HOSTILE[name][0] in done.stdout
