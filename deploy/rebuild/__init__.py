"""`treue rebuild`: folds the retained topics into an empty schema and compares it with the live one, row by row.

command.py   the command
fold.py      an empty schema, and every topic of the service from its first record on
compare.py   what must be the same, whenever and in whichever order it was folded
"""
