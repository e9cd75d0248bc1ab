"""Places in a network, selected by paths, and changes at these places."""
