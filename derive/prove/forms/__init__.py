"""Canonical forms: what decides that two programs are equal for all sizes and all values."""
