"""What an expression can yield, where it is evaluated, and operators and functions on values."""
