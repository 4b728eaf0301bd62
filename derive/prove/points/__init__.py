"""Claims at points: floating point first, then exact fractions, many digits and balls."""
