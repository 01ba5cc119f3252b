"""The base of every wire struct: how values become JSON, and Pydantic's few methods.

What lives here: the one omission policy (:mod:`.structs`), the hooks that the serializer needs (:mod:`.encoding`), and
what lets code written for Pydantic models go on working (:mod:`.plain`, :mod:`.schema`, :mod:`.declaring`). What does
not: any wire type. May import msgspec only; Pydantic is imported when it asks for a schema or a serializer, and for a
value that only it may know how to write.

The omission policy (wire.md section 2): a field whose default is ``None`` is left out while it is ``None``; every other
field is always written, also when it holds its default. msgspec has no such mode, so the metaclass spells it in
msgspec's own terms: ``omit_defaults`` drops a value that *is* its default, and a default made by a factory is never
dropped. A ``type: Literal["..."] = "..."`` line becomes the struct's tag.
"""

from .encoding import SHADOW, as_written, enc_hook, encode, json_encoder, well_formed
from .plain import convert, to_plain
from .schema import PydanticUnion, pydantic_schema, tags_of
from .structs import Checked, PydanticMethods, Wire, WireMeta

__all__ = [
    "SHADOW",
    "Checked",
    "PydanticMethods",
    "PydanticUnion",
    "Wire",
    "WireMeta",
    "as_written",
    "convert",
    "enc_hook",
    "encode",
    "json_encoder",
    "pydantic_schema",
    "tags_of",
    "to_plain",
    "well_formed",
]
