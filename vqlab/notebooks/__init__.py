"""From the one source of a lab to the notebooks people open, and to the teacher's pack."""
