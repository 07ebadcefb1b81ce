"""What reaches the service: events (consumer.py) and requests (the other modules)."""
