"""Widget actions (widgets.md section 5): what a widget sends, and how a server names it."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, get_args, get_origin

import msgspec

from ._base import Wire

__all__ = ["Action", "ActionConfig", "Handler", "LoadingBehavior", "form_values"]

Handler = Literal["client", "server"]
LoadingBehavior = Literal["auto", "none", "self", "container"]

T = TypeVar("T")
TType = TypeVar("TType", bound=str)
TPayload = TypeVar("TPayload")


def form_values(payload: Any, kind: type[T]) -> T:
    """A payload with form values as a type of your own (widgets.md section 5.1).

    The values' types are those of the browser's controls, so text is read as the number, boolean or date that the type
    asks for, and a control that was left empty (``""``) where it asks for anything but text is as one that is missing.

    Args:
        payload: ``action.payload``.
        kind: A struct, dataclass or typed dict; nested ones take the names with dots (``todo.title``).

    Raises:
        msgspec.ValidationError: It does not fit; the message carries the path.
    """
    values = copy.deepcopy(payload)
    while True:
        try:
            return msgspec.convert(values if values is not None else {}, kind, strict=False)
        except msgspec.ValidationError as error:
            _, _, path = str(error).rpartition(" - at `$.")
            if not _drop_empty(values, path.removesuffix("`").split(".")):
                raise


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

    @cache
    def _named(base, names, payload):
        """The action whose type is one of ``names``: what ``Action[Literal[...], Payload]`` is."""

        class Named(base):
            type: str = None

            def __post_init__(self):
                if self.type is None and len(names) == 1:
                    self.type = names[0]
                if self.type not in names:
                    raise ValueError(
                        f"expected an action of type {' or '.join(names)}, got {self.type!r}"
                    )
                if isinstance(self.payload, dict) and hasattr(payload, "model_validate"):
                    self.payload = payload.model_validate(self.payload)

        Named._names = names
        Named.__name__ = Named.__qualname__ = f"{base.__name__}[{', '.join(map(repr, names))}]"
        return Named
