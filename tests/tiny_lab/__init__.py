"""Lab 77: the area of a square, on one page. The smallest lab there is; see CONTRIBUTING.md."""
