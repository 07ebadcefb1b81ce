"""`treue demo`: replays a real purchase log through the gateway and compares every figure with the file."""
