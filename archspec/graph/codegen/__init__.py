"""Analyses of units for any backend that generates code, in any language."""
