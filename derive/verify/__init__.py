"""Two independent ways to a number: what a derived program says, and what the function itself says."""
