"""Credentials: API keys and customers' tokens in, a Principal and an internal token out."""
