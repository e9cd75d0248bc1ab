"""Files, their definitions, and the files they use; nothing is expanded here."""
