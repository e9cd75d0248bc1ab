"""Domains of parameters as checks in a constructor."""

from __future__ import annotations

import re

RANGE = re.compile(r"(-?[0-9.]*[0-9])?\.\.(-?[0-9.]*[0-9])?")
NUMBERS = re.compile(r"\[(-?[0-9.]+(?:, *-?[0-9.]+)*),?\]")


def is_readable(domain: str | None) -> bool:
    """Whether a domain is a range or a list of numbers, not an expression."""
    return domain is None or any(form.fullmatch(domain) for form in (RANGE, NUMBERS))


def refusals(name: str, domain: str | None) -> tuple[str, ...]:
    """Lines that raise an error with a message for values of an argument outside its domain."""
    if domain is None:
        return ()
    condition, words = _condition(name, domain)
    return (
        f"if {condition}:",
        f'    raise ValueError(f"`{name}` is {{{name}}}; it must be {words}")',
    )


def _condition(name: str, domain: str) -> tuple[str, str]:
    """The condition that a value is outside a domain, and the requirement in words."""
    if found := RANGE.fullmatch(domain):
        least, end = found.groups()
        if least and end:
            return f"not {least} <= {name} < {end}", f"at least {least} and less than {end}"
        if least:
            return f"{name} < {least}", f"at least {least}"
        return f"{name} >= {end}", f"less than {end}"
    found = NUMBERS.fullmatch(domain)
    assert found is not None
    return f"{name} not in [{found[1]}]", f"one of {found[1]}"
