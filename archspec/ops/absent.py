"""The word `none`: an attribute without a value."""

from __future__ import annotations

from pydantic import BaseModel, ValidationInfo

NONE = "none"


def without_value(op: type[BaseModel], value: object, info: ValidationInfo) -> object:
    """None for the word `none` if the default of the field is None, otherwise the value.

    A field with another default may have `none` among its words.
    """
    if value != NONE or info.field_name is None:
        return value
    return None if op.model_fields[info.field_name].default is None else value
