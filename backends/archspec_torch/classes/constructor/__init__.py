"""The arguments of the constructor of a class, and the numbers that are written over them."""
