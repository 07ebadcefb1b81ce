"""How things come in: events and HTTP."""
