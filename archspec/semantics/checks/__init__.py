"""Checks of names before anything is expanded, and of complete networks."""
