"""Tells customers what happened to their points and their feedback: in the app always, by e-mail where they let us."""
