"""Graphs from graphs: blocks opened to a depth, unused parts removed, a column extracted."""
