"""Program -> Program: the derivative of equations is equations."""
