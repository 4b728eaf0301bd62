"""Whether two programs are equal for all sizes and all values: a canonical form that decides it where it can."""
