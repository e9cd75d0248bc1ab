"""From text to syntax trees."""

from archspec.syntax.parser import ParseResult, parse

__all__ = ["ParseResult", "parse"]
