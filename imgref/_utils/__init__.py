"""Helpers that know nothing of images: files, directories, documents, and words that were probably meant."""
