"""Inside backends, packages and modules import each other in one direction only."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.meta.test_floors import BACKENDS, python_files

FLOORS = {
    "archspec_torch": (
        ("prelude", "reserved", "memory", "positions", "sensitivity", "timm_methods", "domains"),
        ("code",),
        ("lowering",),
        ("planning", "checks"),
        ("forward", "init", "input_check"),
        ("loops",),
        ("classes", "inputs"),
        ("weights", "interface_doc"),
        ("settings",),
        ("source",),
        ("module",),
        ("backend",),
        ("__init__",),
    ),
    "archspec_torchscript": (("reserved",), ("check",), ("script",), ("backend",), ("__init__",)),
}

MOST_FILES = 20
"""Files per folder; the folder of lowerings has one for each family of ops."""

LARGEST_CLASS = 150


def modules():
    """The name of each module of a backend, and its file."""
    for path in python_files(BACKENDS):
        parts = path.relative_to(BACKENDS).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imported(path):
    """The modules of backends that a file imports; an imported name counts as its module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            yield from names or ({node.module} & MODULES.keys())


def part_of(module):
    """The package in a backend, or the module next to the packages."""
    backend, _, rest = module.partition(".")
    return backend, rest.split(".")[0] or "__init__"


EDGES = {name: set(imported(path)) for name, path in MODULES.items()}


def circle(edges):
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_module_imports_itself_through_others():
    assert circle(EDGES) is None


def test_import_cycles_are_detected():
    first = next(name for name in EDGES if EDGES[name])
    below = next(iter(EDGES[first]))
    assert circle({**EDGES, below: {first}}) is not None


@pytest.mark.parametrize("backend", sorted(FLOORS))
def test_imports_go_down_the_floors_of_a_backend(backend):
    height = {part: level for level, parts in enumerate(FLOORS[backend]) for part in parts}
    wrong = []
    for name, targets in EDGES.items():
        owner, part = part_of(name)
        if owner != backend:
            continue
        for target in targets:
            other, below = part_of(target)
            if other == owner and below != part and height[below] >= height[part]:
                wrong.append(f"{name} imports {target}")
    assert wrong == []


@pytest.mark.parametrize("backend", sorted(FLOORS))
def test_every_part_of_a_backend_has_a_floor(backend):
    parts = {part for owner, part in map(part_of, MODULES) if owner == backend}
    assert parts == {part for floor in FLOORS[backend] for part in floor}


def test_backends_import_few_modules_of_other_backends():
    """What one backend imports from another: the module it makes, not how its code is written."""
    doors = {
        part_of(target)[1]
        for name, targets in EDGES.items()
        for target in targets
        if part_of(target)[0] != part_of(name)[0]
    }
    assert doors == {"checks", "code", "memory", "module", "reserved", "source"}


def test_folders_have_few_files():
    folders = {}
    for path in MODULES.values():
        folders.setdefault(path.parent, []).append(path.name)
    assert {
        str(folder): len(names) for folder, names in folders.items() if len(names) > MOST_FILES
    } == {}


def test_classes_are_short():
    sizes = {
        f"{name}.{node.name}": node.end_lineno - node.lineno + 1
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: size for name, size in sizes.items() if size > LARGEST_CLASS} == {}


def test_no_key_is_an_id():
    """Graphs, instances and units are compared by identity, so they can be keys as they are."""
    calls = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "id"
    ]
    assert calls == []
