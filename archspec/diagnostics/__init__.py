"""Diagnostics: the model, the catalogue of codes with a page each, and the renderers."""
