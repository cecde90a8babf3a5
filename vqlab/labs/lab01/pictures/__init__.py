"""The pictures of Lab 01."""
