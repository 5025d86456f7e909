"""JSON with comments and trailing commas, with the positions of its values."""
