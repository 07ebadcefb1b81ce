"""The auditor: reads what the services stored, on the live system, and says where it contradicts itself.

check.py        what a check is, and how one is run
completeness.py every offset that was passed left a trace: for each service, by counting
holes.py        the offsets without a row of their own, and what the topic has there
explained.py    why each of them has none
agreement.py    what two services must agree on
report.py       `treue verify`: all checks, a line each
"""
