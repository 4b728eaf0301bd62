"""Expectations: a program and the law of one of its inputs -> equations in the parameters of the law."""
