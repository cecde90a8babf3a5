"""Pictures of Lab 05."""
