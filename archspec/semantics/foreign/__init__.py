"""Code of PyTorch, Keras and Python in a spec: what it is called here, and how it is written."""
