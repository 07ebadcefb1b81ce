"""Proof by breaking: the platform under load while its parts die, and a judge who counts afterwards.

load.py          shoppers who buy, return and repeat themselves, and remember what was acknowledged
judge.py         compares what they remember with balances, figures, published events, and the auditor
oracle.py        the topic of purchases, folded serially: what everything must come to
victim.py        a running stack, and what can be done to its processes and sessions
positions.py     what can be done to its positions
records.py       what can be written to its topics
release.py       a release that cannot post what one shop sells
lost_replies.py  a way to Postgres on which the answer to some COMMITs is lost
faults.py        all of that by name
command.py       `treue chaos`: all faults in random order
report.py        what is said of a run
rebalances.py    how long a partition stands still meanwhile
"""
