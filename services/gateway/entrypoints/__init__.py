"""HTTP routes, hot and cold, and the worker's table of events."""
