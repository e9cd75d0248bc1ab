"""Files, what they define, and what they use; nothing is expanded here."""
