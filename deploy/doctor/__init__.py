"""`treue doctor`: what an operator asks first, and the next command where something is wrong."""
