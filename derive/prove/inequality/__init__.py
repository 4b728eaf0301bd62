"""Inequalities, proved for all sizes: a difference is written as a sum of what cannot be negative."""
