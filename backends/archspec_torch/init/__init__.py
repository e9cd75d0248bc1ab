"""The statements of `__init__` and of `initialise`: modules, tensors and their initial values."""
