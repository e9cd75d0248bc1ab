"""archspec.diagram."""
