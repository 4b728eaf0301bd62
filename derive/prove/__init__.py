"""A claim to its verdict: proved for all sizes, tested, refuted with a counterexample, or unknown with the reason."""
