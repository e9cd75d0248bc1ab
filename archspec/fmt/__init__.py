"""archspec.fmt."""
