"""`--set name=value`."""

import pytest

from archspec.cli.guard import WrongUsage
from archspec.cli.values import settings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("false", False),
        ('"same"', "same"),
        ("group_norm", "group_norm"),
        ("group_norm(8, eps=1e-3)", "group_norm(8, eps=1e-3)"),
        ("[16, 32]", [16, 32]),
        ("[[1, 2], []]", [[1, 2], []]),
        ("[true, false]", [True, False]),
    ],
)
def test_values_are_written_as_in_a_spec(text, value):
    (found,) = settings([f"name={text}"]).values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["1 + 1", "1..3", "=3", "f(3)(4) + 1", "3) -> relu(", "[1, x + 1]", "a, b", "\x1b"]
)
def test_malformed_value_is_wrong_usage(text):
    with pytest.raises(WrongUsage, match="is not a value"):
        settings([f"name={text}"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["classes"], "--set classes: write it as name=value"),
        (["a b=1"], "name=value"),
        (["=1"], "name=value"),
        ([""], "name=value"),
        (["a=1", "a=2"], "`a` twice"),
        (["a=1", " a =2"], "`a` twice"),
        (["a="], "--set a=: the value is missing"),
        (["a=  "], "the value is missing"),
    ],
)
def test_malformed_setting_is_wrong_usage(given, message):
    with pytest.raises(WrongUsage, match=message):
        settings(given)


def test_several_settings():
    assert settings(["a=1", " b = 2 "]) == {"a": 1, "b": 2}
