"""Rewriting: patterns of nodes and their replacements, as data, and a driver that applies them."""
