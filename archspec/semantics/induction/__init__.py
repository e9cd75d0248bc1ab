"""Signatures of rules, checked once for all values of their parameters."""
