"""`python -m judgeharness`."""

from judgeharness.cli.program import main

if __name__ == "__main__":
    main()
