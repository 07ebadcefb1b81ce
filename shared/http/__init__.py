"""HTTP as every service speaks it: one application factory, one form of errors, one strict way to read JSON."""
