"""Lab 03: both collapses on CIFAR-10."""
