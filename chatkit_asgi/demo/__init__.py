"""The demo behind ``chatkit-asgi demo``: a ChatKit server with an assistant that answers.

``scenes`` and ``scripted`` play every kind of event by keyword, ``model`` streams from a language
model, ``app`` puts them together. The demo uses the library as any author would, through its public
names; nothing but the command line imports it.
"""

__all__: list[str] = []
