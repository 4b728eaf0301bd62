"""Anything a person writes -> Program."""
