"""Lab 01: tokens collapse."""
