from pathlib import Path

import pytest

from archspec.source import Source
from archspec.syntax import ast, parse
from archspec.syntax.visit import path_to, walk
from tests.syntax.tree import read, show

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.arch"))
SHIPPED = sorted([*ROOT.glob("specs/*.arch"), *ROOT.glob("archspec/stdlib/*.arch")])


def definition(text):
    (only,) = read(text).definitions
    return only


def test_parameters():
    block = definition("block b(x: int in 1.. = 4, l: list[list[int]] = [[1]], y in ..5, z) { f }")
    assert [show(p) for p in block.parameters] == [
        "Parameter(x - ParamType(int -) Range(1 -) 4)",
        "Parameter(l - ParamType(list ParamType(list ParamType(int -))) - "
        "ListExpr([ListExpr([1])]))",
        "Parameter(y - - Range(- 5) -)",
        "Parameter(z - - - -)",
    ]


def test_kinds_of_definitions():
    module = read(
        "language 1\nuse std.cnn { a, b, }\nuse c\ninline block d { f }\nnetwork e() { f }\n"
        'inline rule g(0, -1, true, "t", n) if n > 1 => f\nrule h(c: int): [B] -> [c] where c > 1\n'
        "preset i = e(1)\n"
    )
    assert module.language.version == 1
    assert [(use.path, use.names and [n.text for n in use.names]) for use in module.uses] == [
        (("std", "cnn"), ["a", "b"]),
        (("c",), None),
    ]
    d, e, g, h, i = module.definitions
    assert (d.inline, d.is_network, e.inline, e.is_network) == (True, False, False, True)
    assert g.inline
    assert show(g.guard) == "(n > 1)"
    assert [show(p.pattern) for p in g.parameters] == ["0", "-1", "true", '"t"', "-"]
    assert isinstance(h, ast.Signature)
    assert (show(h.inputs), show(h.outputs), show(h.where)) == (
        "ListExpr([B])",
        "ListExpr([c])",
        "[(c > 1)]",
    )
    assert (i.name, i.name_span.text) == ("i", "i")


def test_comments_above_a_definition_document_it():
    module = read("# far\n\n# one\n#  two\nblock a { f }  # not this\nblock b { f }\n")
    assert [d.doc for d in module.definitions] == ["one\n two", ""]
    assert [(c.text, c.own_line) for c in module.comments] == [
        ("# far", True),
        ("# one", True),
        ("#  two", True),
        ("# not this", False),
    ]


def test_empty_files():
    for text in ("", "\n\n", "# only a comment", "  \t\r\n"):
        assert read(text).definitions == ()


def test_windows_line_ends_and_tabs():
    one = read("block a {\n  x = 1\n  f\n}\n").definitions[0]
    two = read("block a {\r\n\tx = 1\r\n\tf\r\n}\r\n").definitions[0]
    assert show(one) == show(two)


@pytest.mark.parametrize("path", [*PROGRAMS, *SHIPPED], ids=lambda path: path.name)
def test_programs_parse(path):
    result = parse(Source(path.name, path.read_text("utf-8")))
    assert result.diagnostics == ()
    assert result.module.definitions
    assert not any(isinstance(node, ast.Missing) for node in walk(result.module))


def test_spans_nest():
    text = PROGRAMS[-1].read_text("utf-8")
    module = read(text)
    for node in walk(module):
        if isinstance(node, ast.Module):
            continue
        inside = [child for child in walk(node) if not isinstance(child, ast.Parameter)]
        assert all(
            node.span.start <= child.span.start <= child.span.end <= node.span.end
            for child in inside
        ), show(node)


def test_path_to_a_position():
    text = "block a {\n  conv(width) -> relu\n}\n"
    path = path_to(read(text), text.index("width"))
    assert [type(node).__name__ for node in path] == [
        "BlockDef",
        "Body",
        "ExprStmt",
        "Chain",
        "Call",
        "Argument",
        "Name",
    ]
