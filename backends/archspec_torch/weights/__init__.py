"""Weights from outside: files, which of their entries are meant, whether they fit, folding."""
