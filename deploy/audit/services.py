"""The checks that the services bring along, each in its own words."""
