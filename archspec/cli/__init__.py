"""The `archspec` command: `main` defines the arguments; each command has a module of its own."""
