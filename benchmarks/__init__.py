"""Benchmarks beside openai-chatkit and a raw pre-encoded ASGI app. ``python -m benchmarks`` runs them all."""
