"""Is my server ChatKit? A black-box conformance suite for servers in any language, over raw HTTP.

``chatkit-asgi conformance URL`` runs it, ``pytest --chatkit-url URL`` runs it as tests, and
:func:`~chatkit_asgi.conformance.runner.run` runs it from a program. What a server must offer to be tested is in
``docs/conformance/testee.md``; what is tested is written in ``docs/protocol``.

The suite speaks HTTP/1.1 over sockets and writes its JSON by hand. It knows none of this library's structs, except in
:mod:`~chatkit_asgi.conformance.testee`, which is a server to be tested.
"""
