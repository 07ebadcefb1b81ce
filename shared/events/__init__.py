"""The published language: what travels on Kafka. One module per family; additive changes only.

Every event is a frozen msgspec Struct whose class names its wire type, its version and its topic. Money is integer
minor units, times are aware datetimes, points are integers. Unknown fields are ignored, so that a newer producer does
not stop an older consumer; fields with a default are left out of the bytes, so that adding one changes no old hash.
"""
