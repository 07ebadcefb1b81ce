"""What the service does: one function or fold per kind of event or command.

posting.py        a batch of events becomes ledger rows: the order of steps, and so of locks
order_fold.py     what the events mean for their orders
wallet_fold.py    what that means for the customers' wallets
activation.py     pending points become spendable
programmes.py     publish and read the programme
quotes.py         what a basket would earn
translate.py      ledger entries as the events that others hear of
"""
