"""A hand-written backward pass, judged line by line."""
