"""archspec.semantics."""
