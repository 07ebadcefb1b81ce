"""The business of points, without a clock, a database or a framework.

programme.py   the terms that a tenant gives its customers, in versions
award.py       money -> points, and how a purchase's points divide over its lines
order.py       what is known of an order: what it earned, what came back of it
returns.py     how many of an order's points a return takes back
wallet.py      a customer's points: lots, debt, and the entries that every change leaves
"""
