"""The graph of a specialised block, shared by all its uses; `model` has its parts."""
