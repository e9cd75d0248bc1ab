"""Networks of nested blocks in which labels insert layers into called blocks."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

LABELS = (
    "layer.0",
    "layer.1",
    "layer.2",
    "0",
    "1",
    "2",
    "a",
    "a-b.c",
    "norm",
    "stack.x.0",
    "heads",
)
ADDED = ("extra", "9", "deep.0", "deep.1", "d-e.f", "values", "features", "like")


@dataclass
class Body:
    """A block: its statements, and the paths of all modules below it."""

    name: str
    lines: list[str] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    tensors: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


def insertion_program(seed: int) -> tuple[str, str, dict[str, str]]:
    """Two texts of a network, and the paths in the second by those in the first.

    In the first, the inserted parts have labels of their own.
    """
    chance = random.Random(seed)
    bodies: list[Body] = []
    inserted: dict[str, str] = {}
    for number in range(chance.randint(2, 4)):
        bodies.append(_body(f"block{number}", bodies, chance, inserted))
    top = _body("", bodies, chance, inserted)
    blocks = "\n".join(f"block {one.name} {{\n  input x0: [B, D]\n{_text(one)}}}" for one in bodies)
    text = f"{blocks}\nnetwork net {{\n  input x0: f32[B = 2, 4]\n{_text(top)}}}\n"
    plain = text
    for mark in inserted:
        plain = plain.replace(f"<{mark}>", mark)
    for mark, path in inserted.items():
        text = text.replace(f"<{mark}>", path)
    return plain, text, inserted


def _text(body: Body) -> str:
    last = sum(" = " in line and line.startswith("  x") for line in body.lines)
    return "".join(f"{line}\n" for line in body.lines) + f"  output y = x{last}\n"


def _body(name: str, below: list[Body], chance: random.Random, inserted: dict[str, str]) -> Body:
    body, count = Body(name), 0
    called: list[tuple[str, Body | None]] = []
    labels = chance.sample(LABELS, k=chance.randint(2, 5))
    if chance.random() < 0.5:
        labels = sorted(labels)
    if below and chance.random() < 0.3:
        same = chance.choice(below)  # a repetition
        prefix = chance.choice(("block", "rows"))
        count += 1
        body.lines.append(f'  x1 = x0 -> for i in 0..4 {{ "{prefix}.{{i}}": {same.name} }}')
        called += [(f"{prefix}.{number}", same) for number in range(4)]
    for at, label in enumerate(labels):
        layer, inner = _layer(below if at or below else [], chance)
        source = f'"{label}": {layer}'
        if chance.random() < 0.15:
            body.lines.append(f"  shared f{at} = {source}")
            source = f"f{at} -> f{at}"
        count += 1
        more = chance.choice(("", "", " -> relu", f" + x{chance.randrange(count)}"))
        body.lines.append(f"  x{count} = (x{count - 1} -> {source}){more}")
        called.append((label, inner))
    for label, inner in called:
        body.paths |= {label, *(f"{label}.{path}" for path in (inner.paths if inner else ()))}
        body.tensors |= {f"{label}.{path}" for path in (inner.tensors if inner else ())}
    for label, inner in called:
        if inner is not None or chance.random() < 0.2:
            count = _insert(body, label, inner, below, count, chance, inserted)
    body.paths |= body.taken
    return body


def _insert(
    body: Body,
    label: str,
    inner: Body | None,
    below: list[Body],
    count: int,
    chance: random.Random,
    inserted: dict[str, str],
) -> int:
    for _ in range(chance.randint(0, 2)):
        path = _place(label, inner, chance)
        if path in body.paths or _collides(path, body):
            continue
        body.taken.add(path)
        mark = f"own{len(inserted)}"
        inserted[mark] = path
        count += 1
        line = _added(count, mark, below, chance)
        body.lines.append(line)
        if "param(" in line:
            body.tensors.add(path)
    return count


def _layer(below: list[Body], chance: random.Random) -> tuple[str, Body | None]:
    if below and chance.random() < 0.7:
        inner = chance.choice(below)
        return inner.name, inner
    return chance.choice(("linear(4)", "linear(4)", "(linear(4) -> tanh)", "layer_norm")), None


def _place(label: str, inner: Body | None, chance: random.Random) -> str:
    """A path in a called block: of any of its modules or containers."""
    inside = {""}
    for path in inner.paths if inner else ():
        parts = path.split(".")
        inside |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    where = chance.choice(sorted(inside))
    return ".".join(part for part in (label, where, chance.choice(ADDED)) if part)


def _collides(path: str, body: Body) -> bool:
    every = body.paths | body.taken
    return any(f"{one}.".startswith(f"{path}.") for one in every) or any(
        path.startswith(f"{one}.") for one in body.taken | body.tensors
    )


def _added(count: int, mark: str, below: list[Body], chance: random.Random) -> str:
    before = f"x{count - 1}"
    kind = chance.randrange(4)
    if kind == 0:
        tensor = f'  w{count} = "<{mark}>": param([4], normal(std=1.0))'
        return f"{tensor}\n  x{count} = {before} * w{count}"
    if kind == 1 and below:
        return f'  x{count} = {before} -> "<{mark}>": {chance.choice(below).name}'
    return f'  x{count} = {before} -> "<{mark}>": linear(4)'
