"""What a program is: tensors, indices, equations; how it is checked, walked and run."""
