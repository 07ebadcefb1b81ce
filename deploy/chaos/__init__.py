"""Proof by breaking: the platform under load while its parts die, and a judge who counts afterwards.

load.py     shoppers who buy, return and repeat themselves, and remember what was acknowledged
judge.py    compares what they remember with balances, figures, published events, and the auditor
faults.py   what can be done to a running stack
command.py  `treue chaos`: all faults in random order
report.py   what is said of a run
"""
