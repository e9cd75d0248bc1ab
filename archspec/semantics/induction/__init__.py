"""Signatures of rules, checked once for every value of their parameters."""
