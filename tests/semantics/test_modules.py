"""Files: `use` of siblings and of the standard library, cycles, and unreadable files."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from archspec.cli.main import app
from archspec.diagnostics.failure import CompileFailed
from archspec.loading import load
from archspec.semantics.compile import check, load_network
from archspec.source import Source

NET = "network net {\n  input x: f32[B = 1, 4, H = 8, W = 8]\n  output x -> body\n}\n"
BODY = "block body { conv(4, 3) -> helper }\nblock helper { relu }\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def codes(path: Path) -> list[str]:
    return [item.code for item in check(path).diagnostics]


def test_a_sibling_by_name(tmp_path: Path) -> None:
    write(tmp_path, "blocks.arch", BODY)
    path = write(tmp_path, "net.arch", "use blocks { body }\n" + NET)
    assert codes(path) == []
    compiled, _ = load_network(path)
    assert compiled.name == "net"


def test_all_of_a_sibling(tmp_path: Path) -> None:
    write(tmp_path, "blocks.arch", BODY)
    assert codes(write(tmp_path, "net.arch", "use blocks\n" + NET)) == []


def test_a_file_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", "blocks.arch", BODY)
    assert codes(write(tmp_path, "net.arch", "use parts.blocks { body }\n" + NET)) == []


def test_only_imported_names_are_visible(tmp_path: Path) -> None:
    write(tmp_path, "blocks.arch", BODY)
    text = "use blocks { body }\n" + NET.replace("-> body", "-> body -> helper")
    assert codes(write(tmp_path, "net.arch", text)) == ["E0210"]


def test_definitions_see_the_names_of_their_own_file(tmp_path: Path) -> None:
    write(tmp_path, "blocks.arch", BODY)
    text = "use blocks { body }\nblock helper { tanh }\n" + NET
    compiled, _ = load_network(write(tmp_path, "net.arch", text))
    (call,) = [node.callee for node in compiled.inference.nodes if node.callee]
    (helper,) = [node.callee for node in call.nodes if node.callee]
    assert [node.instance.title for node in helper.nodes if node.instance] == ["relu"]


def test_the_standard_library(tmp_path: Path) -> None:
    text = "use std.cnn { conv_bn_relu }\n" + NET.replace("-> body", "-> conv_bn_relu(8, 3)")
    assert codes(write(tmp_path, "net.arch", text)) == []


def test_combinators_are_visible_everywhere() -> None:
    text = NET.replace("-> body", "-> residual(relu) -> repeated(2, tanh)")
    assert check(Source("net.arch", text)).diagnostics == ()


def test_a_definition_of_the_file_wins_over_a_combinator() -> None:
    text = "inline block residual(f: layer) { f }\n" + NET.replace("body", "residual(conv(8, 3))")
    assert [item.code for item in check(Source("net.arch", text)).diagnostics] == ["W0201"]


@pytest.mark.parametrize(
    ("use", "code"),
    [
        ("use nothing { body }", "E0201"),
        ("use std.nothing", "E0201"),
        ("use std", "E0201"),
        ("use blocks { nobody }", "E0202"),
    ],
)
def test_missing_names_and_files(tmp_path: Path, use: str, code: str) -> None:
    write(tmp_path, "blocks.arch", BODY)
    found = codes(write(tmp_path, "net.arch", f"{use}\nblock body {{ relu }}\n{NET}"))
    assert found == [code]


def test_errors_in_an_imported_file_are_reported_once_at_that_file(tmp_path: Path) -> None:
    write(tmp_path, "blocks.arch", "block body { convv(4, 3) }\nblock other { relu -> tnah }\n")
    path = write(tmp_path, "net.arch", "use blocks { body }\n" + NET)
    items = check(path).diagnostics
    assert [item.code for item in items] == ["E0210", "E0210"]
    assert {Path(item.primary.span.source.name).name for item in items if item.primary} == {
        "blocks.arch"
    }


@pytest.mark.parametrize("files", [("a",), ("a", "b"), ("a", "b", "c")])
def test_circular_imports(tmp_path: Path, files: tuple[str, ...]) -> None:
    for name, following in zip(files, (*files[1:], files[0]), strict=True):
        write(tmp_path, f"{name}.arch", f"use {following}\nblock {name}{name} {{ relu }}\n")
    found = codes(write(tmp_path, "net.arch", "use a\n" + NET.replace("body", "aa")))
    assert found == ["E0203"]


def test_diamond_import_is_not_a_cycle(tmp_path: Path) -> None:
    write(tmp_path, "base.arch", "block base { relu }\n")
    write(tmp_path, "left.arch", "use base { base }\nblock left { base }\n")
    write(tmp_path, "right.arch", "use base { base }\nblock right { base }\n")
    text = "use left { left }\nuse right { right }\n" + NET.replace("body", "left -> right")
    assert codes(write(tmp_path, "net.arch", text)) == []


# files that cannot be read


SECRET = "block body { relu }\n"


@pytest.mark.parametrize(
    "use",
    [
        "use ../secret { body }",
        'use "../secret" { body }',
        "use ..secret { body }",
        "use ...secret { body }",
        "use /etc/passwd",
        "use etc/passwd",
        "use ../../../../etc/passwd",
        "use std.../../secret { body }",
        "use file:///etc/passwd",
        "use ~.secret { body }",
        "use C:\\secret { body }",
        "use secret\x00 { body }",
    ],
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, use: str) -> None:
    write(tmp_path, "secret.arch", SECRET)
    (tmp_path / "inner").mkdir()
    path = write(tmp_path / "inner", "net.arch", f"{use}\n{NET}")
    items = check(path).diagnostics
    assert items
    assert all(item.code[:3] in ("E01", "E02") for item in items)
    assert any(item.code.startswith("E01") for item in items)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_link_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "secret.arch", SECRET)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "blocks.arch").symlink_to(tmp_path / "secret.arch")
    assert codes(write(inner, "net.arch", "use blocks { body }\n" + NET)) == ["E0204"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_linked_folder_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    write(tmp_path / "outside", "blocks.arch", SECRET)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "parts").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert codes(write(inner, "net.arch", "use parts.blocks { body }\n" + NET)) == ["E0204"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_link_inside_the_folder_is_allowed(tmp_path: Path) -> None:
    write(tmp_path, "blocks.arch", BODY)
    (tmp_path / "linked.arch").symlink_to(tmp_path / "blocks.arch")
    assert codes(write(tmp_path, "net.arch", "use linked { body }\n" + NET)) == []


def test_only_spec_files_are_read(tmp_path: Path) -> None:
    write(tmp_path, "blocks.txt", BODY)
    (tmp_path / "folder.arch").mkdir()
    assert codes(write(tmp_path, "net.arch", "use blocks { body }\n" + NET)) == ["E0201"]
    assert codes(write(tmp_path, "net2.arch", "use folder { body }\n" + NET)) == ["E0201"]


def odd(folder: Path, kind: str) -> Path:
    """Something with the name of a spec that is not a file."""
    path = folder / "odd.arch"
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(path))
    else:
        path.symlink_to({"circular": path, "broken": folder / "none", "device": "/dev/zero"}[kind])
    return path


ODD = ("folder", "FIFO", "socket", "circular", "broken", "device")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs and links")
@pytest.mark.parametrize("kind", ODD)
def test_message_describes_a_path_that_is_not_a_file(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = odd(tmp_path, kind)
    (item,) = check(path).diagnostics
    assert item.code == "E0804"
    assert kind in item.message
    with pytest.raises(CompileFailed, match="E0804"):
        load(path)
    (item,) = check(write(tmp_path, "net.arch", "use odd { body }\n" + NET)).diagnostics
    assert item.code == "E0201"
    assert item.primary is not None
    assert item.primary.span.text == "use odd { body }"
    assert kind in item.message
    for arguments in (["show", "odd.arch"], ["fmt", "odd.arch"], ["check", "odd.arch:net"]):
        with pytest.raises(SystemExit) as ended:
            app(arguments)
        assert ended.value.code == 2
        assert kind in capsys.readouterr().err or kind == "folder"


def test_unreadable_sibling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "blocks.arch", BODY)
    path = write(tmp_path, "net.arch", "use blocks { body }\n" + NET)
    whole = Path.open

    def refused(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "blocks.arch":
            raise PermissionError(13, "Permission denied", str(self))
        return whole(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refused)
    (item,) = check(path).diagnostics
    assert (item.code, "Permission denied" in item.message) == ("E0201", True)


def test_a_name_that_is_too_long_for_a_file(tmp_path: Path) -> None:
    parts = ".".join("ab"[i % 2] * 150 for i in range(30))
    assert codes(write(tmp_path, "net.arch", f"use {parts} {{ body }}\n{NET}")) == ["E0201"]


# the shipped specs

USER = """
use resnet { basic, resnet }
use std.cnn { cbam }
preset host = resnet(basic(attend=cbam: cbam), [1, 1, 1, 1])
"""


def test_shipped_specs_can_be_used_from_any_file(tmp_path: Path) -> None:
    compiled, sink = load_network(write(tmp_path, "mine.arch", USER), "host")
    assert sink.diagnostics == ()
    assert compiled.inference.name == "resnet"
    assert load_network(Source("cell", USER), "host")[0].name == "host"


def test_a_file_with_the_name_of_a_shipped_spec_may_use_it(tmp_path: Path) -> None:
    assert codes(write(tmp_path, "resnet.arch", USER)) == []


def test_a_sibling_comes_before_a_shipped_spec(tmp_path: Path) -> None:
    write(tmp_path, "resnet.arch", "block body { conv(5, 3) }\n")
    path = write(tmp_path, "net.arch", "use resnet { body }\n" + NET)
    assert str(load_network(path)[0].inference.outputs[0].name) == "output"
    assert codes(write(tmp_path, "two.arch", "use resnet { basic }\n" + NET))[0] == "E0202"


def test_files_used_by_shipped_specs_are_shipped(tmp_path: Path) -> None:
    write(tmp_path, "resnet.arch", "block broken { nothing_of_this_name }\n")
    path = write(tmp_path, "net.arch", "use cbam { resnet18_cbam }\npreset net = resnet18_cbam\n")
    assert codes(path) == []


def test_a_link_out_of_the_folder_does_not_fall_back_to_a_shipped_spec(tmp_path: Path) -> None:
    write(tmp_path, "secret.arch", SECRET)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "resnet.arch").symlink_to(tmp_path / "secret.arch")
    assert codes(write(inner, "net.arch", "use resnet { basic }\n" + NET))[0] == "E0204"


def test_nothing_below_the_shipped_specs_or_next_to_them_is_read(tmp_path: Path) -> None:
    for use in ("use resnet.resnet", "use specs.resnet", "use stdlib.cnn", "use cnn"):
        assert codes(write(tmp_path, "net.arch", use + "\n" + NET))[0] == "E0201"


def test_errors_in_a_shipped_spec_are_shown_at_its_use(tmp_path: Path) -> None:
    text = USER.replace("[1, 1, 1, 1]", "[1, 1, 1, 1], pool=conv(3, 9, padding=0)")
    path = write(tmp_path, "mine.arch", text.replace("pool=", "width=12, pool="))
    (item, *_) = check(path).diagnostics
    assert item.primary is not None
    assert Path(item.primary.span.source.name).name == "mine.arch"


def test_shipped_specs_are_searched_for_suggestions(tmp_path: Path) -> None:
    (item, *_) = check(write(tmp_path, "net.arch", "use resnt { body }\n" + NET)).diagnostics
    assert item.fix is not None
    assert item.fix.message == "did you mean `resnet`?"
    assert "shipped specs" in item.notes[0]


def test_non_text_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_bytes(b"\xff\xfe\x00\x80" * 100)
    assert codes(path) == ["E0830"]


def test_files_in_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_bytes(b"# caf\xe9\n" + NET.encode())
    assert codes(path) == ["E0830"]


def test_names_used_from_an_unreadable_file_are_not_reported_as_missing(tmp_path: Path) -> None:
    (tmp_path / "blocks.arch").write_bytes(b"\xff")
    assert codes(write(tmp_path, "net.arch", "use blocks { body }\n" + NET)) == ["E0830"]


def test_a_byte_order_mark_and_line_ends_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_bytes(("\ufeff" + "block body { relu }\n" + NET).replace("\n", "\r\n").encode())
    assert codes(path) == []


def test_choosing_a_network(tmp_path: Path) -> None:
    text = "block body { relu }\n" + NET + NET.replace(" net ", " other ") + "preset third = net\n"
    path = write(tmp_path, "net.arch", text)
    assert load_network(path)[0].name == "net"
    assert load_network(path, "third")[0].name == "third"
    moved = write(tmp_path, "several.arch", text)
    for name in (None, "nothing"):
        with pytest.raises(CompileFailed) as caught:
            load_network(moved, name)
        assert [item.code for item in caught.value.diagnostics] == ["E0701"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("std.cnnn", "did you mean `std.cnn`?"),
        ("std.cnn.conv_bn_relu", "write names in braces: `use std.cnn { conv_bn_relu }`"),
        ("std", "name a module of `std`: `use std.cnn`"),
        ("std { attention }", "name a module of `std`: `use std.attention`"),
        ("cnn", "did you mean `std.cnn`?"),
        ("stdd.cnn", "did you mean `std.cnn`?"),
        ("blockz", "did you mean `blocks`?"),
        ("parts.onez", "did you mean `parts.ones`?"),
        ("parts.ones.body", "write names in braces: `use parts.ones { body }`"),
        ("blocks.body", "write names in braces: `use blocks { body }`"),
        ("resnett { resnet }", "did you mean `resnet`?"),
        ("resnet.basic", "write names in braces: `use resnet { basic }`"),
        ("nothing_like_it", None),
        ("std.nothing_like_it", None),
        ("nothing.like_it", None),
    ],
)
def test_suggestion_for_a_failed_use(tmp_path: Path, written: str, meant: str | None) -> None:
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", "ones.arch", BODY)
    write(tmp_path, "blocks.arch", BODY)
    path = write(tmp_path, "net.arch", f"use {written}\n{NET.replace('body', 'relu')}")
    (fault,) = check(path).diagnostics
    assert fault.code == "E0201"
    assert (fault.fix.message if fault.fix else None) == meant


@pytest.mark.parametrize(
    ("file", "name", "hides"),
    [
        ("resnet", "basic", True),
        ("resnet", "resnet", True),
        ("resnet", "nothing_like_it", False),
        ("blocks", "basic", False),
    ],
)
def test_error_names_the_file_that_hides_a_shipped_spec(
    tmp_path: Path, file: str, name: str, hides: bool
) -> None:
    write(tmp_path, f"{file}.arch", BODY)
    path = write(tmp_path, "net.arch", f"use {file} {{ {name} }}\n{NET.replace('body', 'relu')}")
    (fault,) = check(path).diagnostics
    assert fault.code == "E0202"
    assert [f"hidden by the file `{file}.arch`" in note for note in fault.notes] == [True] * hides
