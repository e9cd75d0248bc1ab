"""Types: symbolic dimensions, conditions on them, tensor types and initialisers."""
