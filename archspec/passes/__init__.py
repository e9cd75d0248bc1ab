"""archspec.passes."""
