"""A graph under construction: its nodes, the names of its instances, and what is shared in it."""
