"""The pictures of Lab 02."""
