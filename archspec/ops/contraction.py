"""Sums of products over named indices: einsum and matrix products."""

from __future__ import annotations

from string import ascii_letters
from typing import ClassVar

from archspec.ops.base import Check, Example, Made, Op, OpError, Seen
from archspec.ops.broadcasting import (
    FLOATS,
    NUMBERS,
    broadcast,
    require_dtype,
    same_dtype,
)
from archspec.ops.einops_notation import ELLIPSIS, tokens
from archspec.ops.shape_rules import mixed
from archspec.types.dim import ZERO, Dim, product
from archspec.types.tensor import TensorType

MOST_INDICES = len(ascii_letters)


def read_einsum(pattern: str) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The indices of each operand, and those of the result. Raises OpError for a bad pattern."""
    words = tokens("einsum", pattern)
    if words.count("->") != 1:
        raise _bad("needs one `->` in its pattern", '`"b n d, b m d -> b n m"`')
    middle = words.index("->")
    operands: list[tuple[str, ...]] = []
    current: list[str] = []
    for word in (*words[:middle], ","):
        if word == ",":
            operands.append(tuple(current))
            current = []
        else:
            current.append(_index(word))
    result = tuple(_index(word) for word in words[middle + 1 :])
    _consistent(operands, result)
    return tuple(operands), result


def _consistent(operands: list[tuple[str, ...]], result: tuple[str, ...]) -> None:
    """Raise OpError if the two sides of a pattern do not match."""
    if len(set(result)) < len(result):
        raise _bad("has an index twice on the right of its pattern")
    if ELLIPSIS not in result and any(ELLIPSIS in operand for operand in operands):
        raise _bad("has `...` on the left of its pattern, but not on the right")
    known = {name for operand in operands for name in operand}
    for name in result:
        if name not in known:
            raise _bad(f"has `{name}` on the right of its pattern, but not on the left")
    if len(known) > MOST_INDICES:
        raise _bad(f"takes at most {MOST_INDICES} different indices")
    for operand in operands:
        if operand.count(ELLIPSIS) > 1:
            raise _bad("has `...` twice in one operand")


def _index(word: str) -> str:
    if word in "(),":
        raise _bad(f"takes no `{word}` there: each name is one index")
    if word.isdecimal():
        raise _bad(
            "takes no numbers in its pattern", "`unsqueeze` and `rearrange` add axes of size 1"
        )
    return word


def _bad(message: str, fix: str | None = None) -> OpError:
    return OpError(f"`einsum` {message}", attribute="pattern", fix=fix)


class Einsum(Op):
    """Product of all inputs, summed over the indices that are missing on the right-hand side.

    `(q, k) -> einsum("b h n d, b h m d -> b h n m")`. Names are separated by spaces; an
    index has the same size in all operands. `...` matches axes that are broadcast.

    The MACs are those of `torch.einsum`, which contracts two operands at a time, from the left: the
    product of the sizes of all indices of both, if an index that both have is summed; otherwise 0.

    pattern: the axes of input and output, before and after `->`.
    """

    name: ClassVar[str] = "einsum"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    category: ClassVar[str] = "linear"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"pattern": "b h n d, b h m d -> b h n m"}, ("f32[2, 3, 4, 5]", "f32[2, 3, 6, 5]")),
        Example({"pattern": "i j, j k, k l -> i l"}, ("f32[2, 3]", "f32[3, 4]", "f32[4, 5]")),
        Example({"pattern": "... i j, ... j k -> ... i k"}, ("f32[5, 1, 2, 3]", "f32[7, 3, 4]")),
        Example({"pattern": "i i -> i"}, ("f32[3, 3]",)),
    )

    pattern: str

    @property
    def equation(self) -> str:
        """The pattern in PyTorch's notation, with a letter for each name: `bhnd,bhmd->bhnm`.

        A name of one letter keeps it; a longer one gets its first letter if that is free.
        """
        operands, result = read_einsum(self.pattern)
        names = dict.fromkeys(name for operand in operands for name in operand)
        names.pop(ELLIPSIS, None)
        letters = {name: name for name in names if name in ascii_letters}
        taken = set(letters)
        for name in names:
            if name not in letters:
                wanted = (name[0], *ascii_letters)
                free = (one for one in wanted if one in ascii_letters and one not in taken)
                letters[name] = next(free, name)
                taken.add(letters[name])
        letters[ELLIPSIS] = ELLIPSIS
        texts = ["".join(letters[name] for name in operand) for operand in operands]
        return ",".join(texts) + "->" + "".join(letters[name] for name in result)

    def _sizes(
        self, check: Check, inputs: tuple[TensorType, ...]
    ) -> tuple[list[tuple[str, ...]], tuple[str, ...], dict[str, Dim]]:
        """Indices of operands and result, with `...` expanded, and the size of each index."""
        operands, result = read_einsum(self.pattern)
        if len(operands) != len(inputs):
            raise _bad(f"has {len(operands)} operands in its pattern, but {len(inputs)} inputs")
        written, hidden = self._write_out(check, operands, inputs)
        sizes: dict[str, tuple[Dim, int]] = {}
        for position, (indices, given) in enumerate(zip(written, inputs, strict=True)):
            for name, size in zip(indices, given.shape, strict=True):
                if name in hidden:
                    continue
                before, source = sizes.setdefault(name, (size, position))
                self._agree(check, name, before, size, (inputs[source], given), position)
                if size.constant is not None:
                    sizes[name] = (size, position)
        found = {name: size for name, (size, _) in sizes.items()} | hidden
        at = result.index(ELLIPSIS) if ELLIPSIS in result else None
        if at is not None:
            result = (*result[:at], *hidden, *result[at + 1 :])
        return written, result, found

    def _agree(
        self,
        check: Check,
        name: str,
        before: Dim,
        now: Dim,
        types: tuple[TensorType, TensorType],
        position: int,
    ) -> None:
        one, other = types
        if before.constant is not None and now.constant is not None and before != now:
            raise OpError(
                f"`einsum` needs one size for `{name}`, but it is {before} in {one.shape_text} "
                f"and {now} in {other.shape_text}",
                input=position,
            )
        reason = f"`einsum` needs one size for `{name}`, which is {before} in {one.shape_text} "
        check.require_equal(before, now, f"{reason}and {now} in {other.shape_text}")

    def _write_out(
        self, check: Check, operands: tuple[tuple[str, ...], ...], inputs: tuple[TensorType, ...]
    ) -> tuple[list[tuple[str, ...]], dict[str, Dim]]:
        """Operands with `...` replaced by names, counted from the right, and sizes of these."""
        written: list[tuple[str, ...]] = []
        parts: list[TensorType] = []
        for position, (indices, given) in enumerate(zip(operands, inputs, strict=True)):
            missing = given.rank - len(indices) + (ELLIPSIS in indices)
            if missing < 0 or (missing and ELLIPSIS not in indices):
                raise OpError(
                    f"`einsum` has {len(indices)} indices for an input of shape {given.shape_text}",
                    attribute="pattern",
                    input=position,
                )
            if ELLIPSIS not in indices:
                written.append(indices)
                continue
            at = indices.index(ELLIPSIS)
            inner = tuple(f"...{axis}" for axis in reversed(range(missing)))
            written.append((*indices[:at], *inner, *indices[at + 1 :]))
            parts.append(given.with_shape(*given.shape[at : at + missing]))
        shape = broadcast(self.name, check, parts) if parts else ()
        last = len(shape) - 1
        return written, {f"...{last - axis}": size for axis, size in enumerate(shape)}

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        for position, one in enumerate(inputs):
            require_dtype(self.name, one, FLOATS, input=position)
        kind = same_dtype(self.name, inputs)
        _, result, sizes = self._sizes(check, inputs)
        return TensorType(kind, tuple(sizes[name] for name in result))

    def depth(self, inputs: tuple[Made, ...]) -> int:
        return _product_depth(inputs)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        operands, result, sizes = self._sizes(Check(), inputs)
        total = ZERO
        current = dict.fromkeys(operands[0])
        for position, operand in enumerate(operands[1:], start=1):
            later = {name for one in operands[position + 1 :] for name in one} | set(result)
            left = [name for name in current if name in later or name in operand]
            right = [name for name in dict.fromkeys(operand) if name in later or name in current]
            both = dict.fromkeys((*left, *right))
            if any(name not in later for name in both):
                total = total + product(sizes[name] for name in both)
            current = dict.fromkeys(name for name in both if name in later)
        return total

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


class MatMul(Op):
    """Matrix product over the last two axes; the axes before them are broadcast."""

    name: ClassVar[str] = "matmul"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "linear"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(inputs=("f32[2, 3, 4]", "f32[2, 4, 5]")),
        Example(inputs=("f32[6, 1, 3, 4]", "f32[2, 4, 5]")),
        Example(inputs=("f32[3, 4]", "f32[4, 5]")),
    )

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        left, right = inputs
        for position, one in enumerate(inputs):
            require_dtype(self.name, one, FLOATS, input=position)
            if one.rank < 2:
                raise OpError(
                    f"`matmul` takes matrices, but input {position + 1} is {one.shape_text}",
                    input=position,
                    fix="`unsqueeze` turns a vector into a matrix",
                )
        kind = same_dtype(self.name, inputs)
        rows, inner = left.shape[-2:]
        also_inner, columns = right.shape[-2:]
        if inner != also_inner:
            self._differ(check, left, right)
        batch = broadcast(self.name, check, [one.with_shape(*one.shape[:-2]) for one in inputs])
        return TensorType(kind, (*batch, rows, columns))

    def _differ(self, check: Check, left: TensorType, right: TensorType) -> None:
        """Require the inner sizes to be equal. Raises OpError if they are different numbers."""
        inner, also_inner = left.shape[-1], right.shape[-2]
        reason = (
            f"`matmul` needs the last axis of {left.shape_text}, {inner}, to be equal to the last "
            f"but one of {right.shape_text}, {also_inner}"
        )
        hint = ""
        if right.shape[-1] == inner:
            hint = "transpose the second: `(a, b -> transpose(-2, -1)) -> matmul`"
            if left.shape == right.shape and left.rank == 2:
                hint = (
                    "for a product of each pair of vectors write `a * b -> sum(axis=1)`; for all "
                )
                hint += "pairs `(a, b -> transpose(-2, -1)) -> matmul`"
        elif left.shape[-2] == also_inner:
            hint = "transpose the first: `(a -> transpose(-2, -1), b) -> matmul`"
        if inner.constant is not None and also_inner.constant is not None:
            raise OpError(reason, input=1, fix=hint or None)
        check.require_equal(inner, also_inner, reason, hint)

    def depth(self, inputs: tuple[Made, ...]) -> int:
        return _product_depth(inputs)

    def macs(self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]) -> Dim:
        return outputs[0].elements * inputs[0].shape[-1]

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


class Outer(Op):
    """`(a, b) -> outer`: the matrix of the products of two vectors' elements."""

    name: ClassVar[str] = "outer"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    category: ClassVar[str] = "linear"
    examples: ClassVar[tuple[Example, ...]] = (Example(inputs=("f32[3]", "f32[4]")),)

    def infer(self, check: Check, *inputs: TensorType) -> TensorType:
        for position, one in enumerate(inputs):
            require_dtype(self.name, one, NUMBERS, input=position)
            if one.rank != 1:
                raise OpError(f"`outer` takes vectors, but got {one.shape_text}", input=position)
        kind = same_dtype(self.name, inputs)
        return TensorType(kind, (inputs[0].shape[0], inputs[1].shape[0]))

    def receptive_field(self, inputs: tuple[TensorType, ...]) -> Seen:
        return mixed(inputs)


def _product_depth(inputs: tuple[Made, ...]) -> int:
    """Depth of a product: 1 if data is multiplied by a value that depends on weights alone."""
    return int(Made.DATA in inputs and Made.WEIGHTS in inputs)
