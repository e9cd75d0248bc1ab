"""PyTorch, Keras and Python code in a spec: its counterparts here, and their notation."""
