"""Arguments: binding to attributes and parameters, and checks of their values."""
