"""`python -m loadtest`: the load tester alone, which has no server's settings to make tokens with."""

from loadtest.cli import command

if __name__ == "__main__":
    command(lambda: None)(prog_name="loadtest")
