"""Lab 02: embeddings collapse."""
