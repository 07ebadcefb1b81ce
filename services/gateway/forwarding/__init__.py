"""Questions go to the service that owns the answer, with an internal token in place of the caller's credential."""
