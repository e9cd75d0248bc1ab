"""A graph under construction: its nodes, the names of its instances, and its shared layers."""
