"""Larger than memory: which axis of a program may be cut into chunks, the programs of the chunks, their run with dask."""
