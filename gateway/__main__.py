"""`python -m gateway`: the command line."""

from gateway.commands import app

app()
