"""The graph of a specialised block, shared by all its uses; `model` defines its parts."""
