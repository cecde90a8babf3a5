"""The pictures of Lab 00."""
