"""What an operator types: one module per group of commands; errors become exit codes here, once."""


def main() -> None:
    """Run the `nestor` command."""
