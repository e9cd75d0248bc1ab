"""Imports go down the floors; nothing imports torch; names and sizes of files."""

import ast
from functools import cache
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "archspec"
BACKENDS = ROOT / "backends"

FLOORS = (
    ("frozen", "namesake"),
    ("source", "shipped", "arguments"),
    ("diagnostics",),
    ("options", "extensions"),
    ("staging",),
    ("syntax",),
    ("types",),
    ("ops",),
    ("graph",),
    ("semantics",),
    ("analysis",),
    ("passes",),
    ("targets", "diagram", "fmt"),
    ("network",),
    ("loading",),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
HEIGHT = {name: height for height, names in enumerate(FLOORS) for name in names}

FORBIDDEN = {
    "types": {"syntax"},
    "ops": {"syntax"},
    "graph": {"syntax"},
    "fmt": {"types", "ops", "graph", "semantics", "analysis", "passes"},
    "targets": {"syntax", "semantics"},
}
FOR_BACKENDS = {
    "frozen",
    "source",
    "diagnostics",
    "staging",
    "options",
    "extensions",
    "types",
    "ops",
    "graph",
    "analysis",
    "passes",
    "targets",
}
ONLY_IN = {
    "lark": {"syntax"},
    "networkx": {"graph", "passes", "network", "diagram"},
    "graphviz": {"diagram"},
    "typer": {"cli"},
    "rich": {"cli"},
}


SEMANTICS = (
    ("program", "building"),
    ("foreign",),
    ("values", "data_names"),
    ("arguments", "decisions"),
    ("expansion",),
    ("checks", "induction"),
    ("network_parameters", "call_stack", "offered_fixes", "endless"),
    ("members",),
    ("compile",),
    ("written_layer",),
)
"""Floors inside `archspec/semantics`, as in docs/architecture.md."""

CONTAIN_EACH_OTHER = (
    {
        "archspec.types.atoms",
        "archspec.types.dim",
        "archspec.types.dim_text",
        "archspec.types.monomial",
    },
    {"archspec.syntax.ast", "archspec.syntax.ast_expressions"},
)
"""Classes with fields of each other's types: the import is only for annotations."""


def python_files(folder):
    return [path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts]


@cache
def imports(path):
    """`(module, line)` for every import in a file, at any depth."""
    return tuple(_imports(path))


def _imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            if node.module == "archspec":  # `from archspec import shipped`
                yield from ((f"archspec.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def floor_of(path):
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def own_imports():
    for path in python_files(PACKAGE):
        for module, line in imports(path):
            yield path, floor_of(path), module, line


def test_every_part_of_the_package_has_a_floor():
    parts = {floor_of(path) for path in python_files(PACKAGE)}
    assert parts <= HEIGHT.keys()


def test_imports_go_down_the_floors():
    wrong = []
    for path, floor, module, line in own_imports():
        package, _, rest = module.partition(".")
        if package != "archspec":
            continue
        below = rest.split(".")[0]
        if below not in HEIGHT:  # a name of the package itself: `from archspec import load`
            below = "__init__"
        beside = below != floor and HEIGHT[below] == HEIGHT[floor]
        if HEIGHT[below] > HEIGHT[floor] or beside or below in FORBIDDEN.get(floor, ()):
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {floor} imports {module}")
    assert wrong == []


def test_nothing_in_archspec_imports_torch():
    assert [
        f"{path}:{line}"
        for path, _, module, line in own_imports()
        if module.split(".")[0] == "torch"
    ] == []


def test_each_library_is_imported_in_one_part_only():
    wrong = []
    for path, floor, module, line in own_imports():
        allowed = ONLY_IN.get(module.split(".")[0])
        if allowed is not None and floor not in allowed:
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {floor} imports {module}")
    assert wrong == []


def test_backends_import_only_allowed_parts():
    wrong = []
    for path in python_files(BACKENDS):
        for module, line in imports(path):
            package, _, rest = module.partition(".")
            if package == "archspec" and rest.split(".")[0] not in FOR_BACKENDS:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: imports {module}")
    assert wrong == []


@pytest.mark.parametrize("folder", [PACKAGE, BACKENDS], ids=["archspec", "backends"])
def test_files_are_short(folder):
    sizes = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(folder)
    }
    assert {str(path): size for path, size in sizes.items() if size >= 400} == {}


@pytest.mark.parametrize("folder", [PACKAGE, BACKENDS], ids=["archspec", "backends"])
def test_no_modules_with_vague_names(folder):
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    named = {path for path in python_files(folder) if vague & {path.stem, path.parent.name}}
    assert named == set()


def test_imports_go_down_inside_of_the_semantics():
    height = {name: at for at, names in enumerate(SEMANTICS) for name in names}
    folder = PACKAGE / "semantics"
    wrong = []
    for path in python_files(folder):
        part = path.relative_to(folder).parts[0].removesuffix(".py")
        for module, line in imports(path):
            if not module.startswith("archspec.semantics.") or part == "__init__":
                continue
            below = module.split(".")[2]
            if below != part and height[below] >= height[part]:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {part} imports {module}")
    assert wrong == []


def modules_of(folder, root):
    """Files by the name of their module."""
    named = {}
    for path in python_files(folder):
        parts = path.relative_to(root).with_suffix("").parts
        named[".".join(parts).removesuffix(".__init__")] = path
    return named


def import_graph(named):
    graph = networkx.DiGraph()
    graph.add_nodes_from(named)
    for name, path in named.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [module for module in inner if module in named] or [node.module]
            graph.add_edges_from((name, module) for module in found if module in named)
    return graph


@pytest.mark.parametrize(
    ("folder", "root"), [(PACKAGE, ROOT), (BACKENDS, BACKENDS)], ids=["archspec", "backends"]
)
def test_no_import_cycles(folder, root):
    """Imports inside functions, and those for annotations, count too."""
    graph = import_graph(modules_of(folder, root))
    circles = [found for found in networkx.strongly_connected_components(graph) if len(found) > 1]
    assert [sorted(found) for found in circles if found not in CONTAIN_EACH_OTHER] == []
