"""Primitive ops: one class per op, one file per family. To add an op, add a class here."""
