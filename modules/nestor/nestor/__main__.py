"""`python -m nestor` is the `nestor` command."""

from nestor.cli import main

if __name__ == "__main__":
    main()
