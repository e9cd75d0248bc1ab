"""Primitive ops: one class each, one file a family. Adding an op is adding a class here."""
