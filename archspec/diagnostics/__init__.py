"""Diagnostics: the data model, the catalogue of codes, and the renderers."""
