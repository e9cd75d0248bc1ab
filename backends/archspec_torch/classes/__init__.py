"""From units to classes: drafts of one structure become one class, with arguments and a name."""
