"""The statements of `__init__` and of `init_weights`: modules, tensors and their initial values."""
