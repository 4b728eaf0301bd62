"""Inequalities between two outputs of a program, proved for all sizes: a difference is written as a sum of what is known to be nonnegative."""
