"""The tables of the schema metrics, and the statements on them."""
