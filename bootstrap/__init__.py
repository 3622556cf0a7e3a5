"""Sets up everything `make demo` and `make test` need, in `.venv`, and only what has changed."""
