"""Reports networks that cannot be written as PyTorch. Nothing heavy is imported here."""
