"""From units to classes: drafts with one structure become one class, with arguments and a name."""
