"""What an operation knows. `elementwise/`: functions of scalars; `tensor/`: NumPy functions that lower to index equations."""
