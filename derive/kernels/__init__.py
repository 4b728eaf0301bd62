"""Callables: generated source, compiled once, cached on disk, called with checked arguments."""
