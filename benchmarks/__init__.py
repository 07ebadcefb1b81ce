"""Measures the platform beside the limit of the same run: `make bench`, `make bench QUICK=1`."""
