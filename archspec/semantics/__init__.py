"""From syntax trees to specialised blocks; `compile` is the entry point."""
