"""archspec.analysis."""
