"""The statements of `__init__` and of `initialise`: what a unit owns, and its initial values."""
