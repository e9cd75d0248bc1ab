"""archspec.cli."""
