"""Mechanism and contracts that every service uses; no business rule, no service's name."""
