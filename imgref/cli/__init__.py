"""The command line: one module a command, and :mod:`imgref.cli._console`, which draws."""
