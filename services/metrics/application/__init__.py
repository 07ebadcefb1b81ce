"""One function per family of events: load, fold, record."""
