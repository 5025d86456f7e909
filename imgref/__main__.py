"""``python -m imgref`` is the command."""

from imgref.cli.main import main

if __name__ == "__main__":
    main()
