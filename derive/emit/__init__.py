"""Source text: complete, readable code with forward and backward for the framework that a user works in."""
