"""Readers: from the text of a file to the image references in it, one module a kind of file."""
