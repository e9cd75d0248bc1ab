"""Folding of batch norms, and of what else is affine per channel, into the layers beside them."""
