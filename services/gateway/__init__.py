"""The gateway: the only door from outside. It knows who calls, takes events into Kafka, and forwards questions to the
service that owns the answer. It decides nothing about points, messages or figures, so it has no domain."""
