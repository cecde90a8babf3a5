"""Lab 04: why dimensions die."""
