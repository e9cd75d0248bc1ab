"""What cannot be written as PyTorch, said before anything is. Nothing heavy is imported here."""
