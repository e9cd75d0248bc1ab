"""The argument SPEC."""

import pytest

from archspec import shipped
from archspec.cli.guard import WrongUsage
from archspec.cli.spec import Spec, files, locate
from archspec.diagnostics.failure import CompileFailed
from archspec.shipped import split


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.arch", ("a.arch", None)),
        ("a.arch:net", ("a.arch", "net")),
        ("dir/a.arch:net", ("dir/a.arch", "net")),
        ("C:\\nets\\a.arch", ("C:\\nets\\a.arch", None)),
        ("C:\\nets\\a.arch:net", ("C:\\nets\\a.arch", "net")),
        ("C:/nets/a.arch", ("C:/nets/a.arch", None)),
        ("C:/nets/a.arch:net", ("C:/nets/a.arch", "net")),
        ("C:a.arch", ("C:a.arch", None)),
        ("resnet50", ("resnet50", None)),
        ("a.arch:", ("a.arch", None)),
        (":net", (":net", None)),
    ],
)
def test_colon_separates_file_and_name(text, parts):
    assert split(text) == parts


@pytest.fixture
def shipped_folder(tmp_path, monkeypatch):
    """A temporary folder of shipped specs."""
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "resnet.arch").write_text("network resnet {\n}\npreset resnet50 = resnet\n")
    monkeypatch.setattr(shipped, "folder", lambda: folder)
    shipped.networks.cache_clear()
    yield folder
    shipped.networks.cache_clear()


def test_a_shipped_network_is_found_by_name(shipped_folder):
    assert locate("resnet50") == Spec(shipped_folder / "resnet.arch", "resnet50")


def test_local_file_of_that_name_wins(shipped_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet50").write_text("network x {\n}\n")
    assert str(locate("resnet50").path) == "resnet50"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("resnet5O", "no file and no shipped network `resnet5O`", "did you mean `resnet50`?"),
        ("nowhere.arch", "there is no file nowhere.arch", None),
        ("specs/resnt.arch:a", "there is no file specs/resnt.arch", "specs/resnet.arch"),
    ],
)
def test_missing_spec_is_wrong_usage(shipped_folder, monkeypatch, text, message, hint):
    monkeypatch.chdir(shipped_folder.parent)
    with pytest.raises(WrongUsage) as caught:
        locate(text)
    assert message in caught.value.message
    assert hint is None if caught.value.hint is None else hint in caught.value.hint


@pytest.mark.parametrize("text", ["specs", "d.arch", "d.arch:net", "specs/../specs"])
def test_folder_is_not_a_spec(shipped_folder, monkeypatch, text):
    monkeypatch.chdir(shipped_folder.parent)
    (shipped_folder.parent / "d.arch").mkdir()
    with pytest.raises(CompileFailed) as caught:
        locate(text)
    (fault,) = caught.value.diagnostics
    assert fault.code == "E0804"
    assert "is a folder, not a file" in fault.message
    assert fault.fix is not None
    assert "`archspec list " in fault.fix.message


def test_files_of_a_folder_are_sorted(tmp_path):
    for name in ("b.arch", "a.arch", "c.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.arch").write_text("")
    assert [path.name for path in files([str(tmp_path)])] == ["a.arch", "b.arch", "d.arch"]
    with pytest.raises(WrongUsage, match="no file or folder"):
        list(files([str(tmp_path / "none")]))
