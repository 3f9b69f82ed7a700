"""`python -m entrypoints.cli`: the command line from a checkout in which nothing of ours is installed."""

from entrypoints.cli.main import main

main()
