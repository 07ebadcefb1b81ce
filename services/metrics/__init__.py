"""Metrics: figures of loyalty for any range of local days, kept up to date event by event."""
