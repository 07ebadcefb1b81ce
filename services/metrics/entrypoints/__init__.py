"""The ways in: events from Kafka, questions over HTTP."""
