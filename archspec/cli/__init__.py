"""The command `archspec`: `main` has its arguments, one file each what a command does."""
