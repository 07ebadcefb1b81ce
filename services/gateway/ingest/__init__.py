"""From a request's bytes to acknowledged records in Kafka.

contracts.py  what comes in (msgspec), models.py the same for people and for naming every fault (pydantic)
rules.py      what makes an id, an amount, an instant acceptable: used by both
reading.py    bytes -> contract, by the fast way or the strict one
translation/  contract -> event
stamping.py   event -> record, with its id
intake.py     records -> Kafka, within limits
"""
