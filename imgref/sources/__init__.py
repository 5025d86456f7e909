"""Image references in files, with their exact positions.

- :mod:`imgref.sources.occurrence`: the values that readers return
- :mod:`imgref.sources.kinds`: which kind of file it is, and which reader reads it
- :mod:`imgref.sources.walk`: lists the files of a directory
- :mod:`imgref.sources.dockerfile`, :mod:`imgref.sources.yaml`: one package per syntax, one module per format
"""
