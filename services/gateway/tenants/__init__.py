"""Tenants: what the gateway must know of them to take their events, and how one is made."""
