"""The embedded stack: real PostgreSQL, real Kafka, a mail sink and all services as supervised processes, in one folder.

`make up` and the tests run the same code; what differs is the folder (.treue/ or a temporary one) and its ports.
"""
