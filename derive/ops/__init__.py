"""What an operation knows: `elementwise/` functions of scalars, `tensor/` NumPy functions as index equations."""
