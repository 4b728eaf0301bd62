"""Measurements: how fast derivations are, and how fast the derived kernels are beside what a user would pick instead."""
