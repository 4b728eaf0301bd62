"""Entropies and divergences of laws, derived from their densities."""
