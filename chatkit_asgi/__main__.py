"""``python -m chatkit_asgi`` is the ``chatkit-asgi`` command."""

from chatkit_asgi.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    raise SystemExit(main())
