"""Repetitions in `forward` as loops."""
