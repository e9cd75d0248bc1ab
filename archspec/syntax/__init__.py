"""archspec.syntax."""
