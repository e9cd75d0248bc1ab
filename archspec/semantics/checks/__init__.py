"""What is checked besides: names before anything is expanded, and networks when they are whole."""
