"""The pictures of Lab 03."""
