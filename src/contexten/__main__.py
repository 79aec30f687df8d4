"""`python -m contexten`: the same as the `contexten` command."""

from contexten.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
