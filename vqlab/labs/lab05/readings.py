"""Numbers read off the sweeps of Lab 05."""

CODEBOOK_SIZE, WIDTH = 1024, 8  # what is varied elsewhere has these
