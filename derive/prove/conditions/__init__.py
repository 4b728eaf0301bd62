"""Under which conditions, and in which layout, a false claim is true."""
