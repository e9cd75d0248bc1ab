"""Arguments: which attribute or parameter each is for, and what it may be."""
