"""Places in a network by the paths that lead there, and changing what stands at them."""
