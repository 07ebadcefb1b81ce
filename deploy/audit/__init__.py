"""The auditor: reads what the services stored, on the live system, and says where it contradicts itself.

check.py        what a check is, and how one is run
completeness.py every offset that was passed left a trace: for each service
agreement.py    what two services must agree on
report.py       `treue verify`: all checks, a line each
"""
