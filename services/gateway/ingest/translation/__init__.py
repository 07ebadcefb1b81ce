"""What came in -> the event that the platform speaks of.

Each function answers None where it cannot vouch for a body: the strict reader then says what is wrong with it. `plain`
means that every text of the body is printable ASCII without spaces at its ends, which a look at the bytes has shown.
"""
