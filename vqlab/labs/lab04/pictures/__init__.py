"""The pictures of Lab 04."""
