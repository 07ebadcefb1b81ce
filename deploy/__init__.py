"""Running Treue: the operator's commands, the local stack, the image and what production needs around it."""
