"""archspec.syntax: text to syntax tree."""

from archspec.syntax.parser import ParseResult, parse

__all__ = ["ParseResult", "parse"]
