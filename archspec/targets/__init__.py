"""The protocol of backends and how they are found."""
