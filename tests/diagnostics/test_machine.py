"""The machine-readable formats."""

import json

from archspec.diagnostics.machine import concise, github, to_json
from archspec.diagnostics.model import Edit, Fix, Frame, Severity, diagnostic
from archspec.source import Source, Span

SOURCE = Source("a.arch", "block b {\n  cnov(3) -> relu\n}\n")
WORD = Span(SOURCE, 12, 16)


def example():
    return diagnostic(
        "E0201",
        "unknown name `cnov`,\nreally: 100%",
        WORD,
        "here",
        secondary=[(Span(SOURCE, 0, len(SOURCE.text)), "in this block")],
        notes=["a note"],
        expansion=[Frame("b", WORD)],
        fix=Fix("did you mean `conv`?", (Edit(WORD, "conv"),)),
    )


def test_json_has_every_part():
    place = {"file": "a.arch", "line": 2, "column": 3, "end_line": 2, "end_column": 7}
    assert json.loads(json.dumps(to_json(example()))) == {
        "code": "E0201",
        "severity": "error",
        "message": "unknown name `cnov`,\nreally: 100%",
        **place,
        "label": "here",
        "secondary": [
            {
                "file": "a.arch",
                "line": 1,
                "column": 1,
                "end_line": 3,
                "end_column": 2,
                "label": "in this block",
            }
        ],
        "notes": ["a note"],
        "expansion": [{"what": "b", **place}],
        "fix": {"message": "did you mean `conv`?", "edits": [{**place, "text": "conv"}]},
    }


def test_json_without_a_location_has_the_same_keys():
    bare = to_json(diagnostic("E0801", "no such backend", severity=Severity.WARNING))
    assert bare.keys() == to_json(example()).keys()
    assert (bare["file"], bare["line"], bare["fix"]) == (None, None, None)
    assert bare["severity"] == "warning"


def test_concise_is_one_line():
    assert concise([example()]) == ("a.arch:2:3: error[E0201]: unknown name `cnov`, really: 100%\n")


def test_github_command_characters_are_escaped():
    assert github([example()]) == (
        "::error file=a.arch,line=2,col=3,endLine=2,title=archspec E0201::"
        "unknown name `cnov`,%0Areally: 100%25\n"
    )
