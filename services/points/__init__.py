"""Points: the programme, and a ledger in which every point can be explained."""
