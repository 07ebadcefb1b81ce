"""The spine of the integration tests, for the mutants."""

from tests.integration.shared.conftest import spine

__all__ = ["spine"]
