"""archspec.fmt: one style for `.arch` files."""

from archspec.fmt.check import FormatterFault
from archspec.fmt.format import format_source

__all__ = ["FormatterFault", "format_source"]
