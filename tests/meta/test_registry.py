"""What the registry reads from the text of op modules equals what importing them gives."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import archspec.ops
from archspec.ops.base import Op
from archspec.ops.registry import _claim, all_ops, choice_words
from archspec.semantics.values.bare_words import choices, is_word
from archspec.types.tensor import DType


def imported():
    for module in pkgutil.iter_modules(archspec.ops.__path__):
        for value in vars(importlib.import_module(f"archspec.ops.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Op) and value.name:
                yield value


def test_every_op_is_found_by_its_name():
    ops = {op.name: op for op in imported()}
    assert dict(all_ops()) == ops
    assert all(op.examples for op in ops.values())
    assert all(op.__doc__ for op in ops.values())


def test_every_choice_is_a_known_word():
    taken = {word for op in imported() for name in op.model_fields for word in choices(op, name)}
    assert {word for word in taken if word.isidentifier() and not is_word(word)} == set()
    assert taken >= choice_words() - {"all"}  # "all" is a receptive field
    assert all(is_word(kind) for kind in DType)


def test_op_names_are_unique():
    with pytest.raises(ValueError, match="two ops are named relu"):
        _claim({"relu": "one"}, "relu", "other")


def test_an_op_is_imported_on_demand():
    code = (
        "import sys; from archspec.ops.registry import all_ops; ops = all_ops();"
        "assert 'conv' in ops and len(ops) > 100;"
        "before = 'archspec.ops.convolution' in sys.modules; ops['conv'];"
        "assert not before and 'archspec.ops.convolution' in sys.modules;"
        "assert 'archspec.ops.attention' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
