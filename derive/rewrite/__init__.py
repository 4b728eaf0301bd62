"""Same value, better form: deltas, sums, value numbering, factoring."""
