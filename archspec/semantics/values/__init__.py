"""Values of expressions, the context of their evaluation, and operators and functions on them."""
