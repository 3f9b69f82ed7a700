"""One technology each, behind the ports. Families know nothing of each other."""
