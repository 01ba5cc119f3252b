"""The cases, a module for each section. A case is a short function; see :func:`chatkit_asgi.conformance.case.case`."""
