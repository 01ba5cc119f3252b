"""Widget actions (widgets.md section 5): what a widget sends, and how a server names it."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, get_args, get_origin

import msgspec

from ._base import Wire, convert

__all__ = ["Action", "ActionConfig", "Handler", "LoadingBehavior", "form_values"]

Handler = Literal["client", "server"]
LoadingBehavior = Literal["auto", "none", "self", "container"]

T = TypeVar("T")
TType = TypeVar("TType", bound=str)
TPayload = TypeVar("TPayload")


def form_values(payload: Any, kind: type[T]) -> T:
    """A payload with form values as a type of your own (widgets.md section 5.1).

    The values' types are those of the browser's controls, so text is read as the number, boolean or date that the type
    asks for, and an empty control (``""``) counts as missing unless the type asks for text.

    Args:
        payload: ``action.payload``.
        kind: A struct, dataclass, typed dict or Pydantic model; nested ones take the names with dots (``todo.title``).

    Raises:
        msgspec.ValidationError: It does not fit; the message carries the path.
        pydantic.ValidationError: The same, of a Pydantic model.
    """
    values: Any = {} if payload is None else copy.deepcopy(payload)
    model = None if hasattr(kind, "__struct_fields__") else getattr(kind, "model_validate", None)
    while True:
        try:
            return model(values) if model else msgspec.convert(values, kind, strict=False)
        except (msgspec.ValidationError, ValueError) as error:
            if not any(_drop_empty(values, path) for path in _misfits(error)):
                raise


def _misfits(error: Any) -> list[list[str]]:
    """The places of what does not fit: all that Pydantic names, the one that msgspec does."""
    if isinstance(error, msgspec.ValidationError):
        return [str(error).rpartition(" - at `$.")[2].removesuffix("`").split(".")]
    errors = getattr(error, "errors", list[Any])()
    return [[str(each) for each in found["loc"]] for found in errors]


def _drop_empty(values: Any, path: list[str]) -> bool:
    """Take out the value at ``path`` if it is an empty text."""
    for name in path[:-1]:
        values = cast("Any", values).get(name) if isinstance(values, dict) else None
    if not isinstance(values, dict) or cast("Any", values).get(path[-1]) != "":
        return False
    del values[path[-1]]
    return True


class ActionConfig(Wire):
    """An action inside a widget: what is sent to whom when it fires."""

    _drop_none = True

    type: str
    payload: Any = None
    handler: Handler = "server"
    loadingBehavior: LoadingBehavior = "auto"
    streaming: bool = True


if TYPE_CHECKING:

    class Action(Wire, Generic[TType, TPayload]):
        """An action as the server receives it; extra keys are ignored.

        ``Action[Literal["x"], Payload]`` names its type and payload, may be subclassed, and makes configs.
        """

        type: TType
        payload: TPayload = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

        @classmethod
        def create(
            cls,
            payload: TPayload,
            handler: Handler = "server",
            loading_behavior: LoadingBehavior = "auto",
            streaming: bool = True,
        ) -> ActionConfig:
            """The :class:`ActionConfig` to put into a widget.

            Raises:
                TypeError: The type is not one literal string, so there is no name to send.
            """
            ...
else:

    class Action(Wire):
        """An action as the server receives it; extra keys are ignored.

        ``Action[Literal["x"], Payload]`` names its type and payload, may be subclassed, and makes configs.
        """

        _names = ()

        type: str
        payload: Any = None

        def __class_getitem__(cls, args):
            kind, payload = args if isinstance(args, tuple) else (args, Any)
            names = get_args(kind) if get_origin(kind) is Literal else ()
            return _named(cls, names, payload) if names else cls

        @classmethod
        def create(cls, payload=None, handler="server", loading_behavior="auto", streaming=True):
            if len(cls._names) != 1:
                raise TypeError(
                    "create() needs an action with one literal type, such as Action[Literal['x'], Payload]"
                )
            return ActionConfig(
                type=cls._names[0],
                payload=payload,
                handler=handler,
                loadingBehavior=loading_behavior,
                streaming=streaming,
            )

    def _payload_of(value, kind):
        """A payload as its type says, for whoever builds an action of a dict."""
        validate = getattr(kind, "model_validate", None)
        try:
            return validate(value) if validate else convert(value, kind)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error

    @cache
    def _named(base, names, payload):
        """The action whose type is one of ``names``: what ``Action[Literal[...], Payload]`` is."""
        typed = (get_origin(payload) or payload) not in (Any, object, dict, TPayload)

        class Named(base):
            type: str = None

            def __post_init__(self):
                if self.type is None and len(names) == 1:
                    self.type = names[0]
                if self.type not in names:
                    raise ValueError(
                        f"expected an action of type {' or '.join(names)}, got {self.type!r}"
                    )
                if isinstance(self.payload, dict) and typed:
                    self.payload = _payload_of(self.payload, payload)

        Named._names = names
        Named.__name__ = Named.__qualname__ = f"{base.__name__}[{', '.join(map(repr, names))}]"
        return Named
