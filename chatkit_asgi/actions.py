"""Widget actions (widgets.md section 5): what a widget sends, and how a server names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, get_args, get_origin

from ._base import Wire

__all__ = ["Action", "ActionConfig", "Handler", "LoadingBehavior"]

Handler = Literal["client", "server"]
LoadingBehavior = Literal["auto", "none", "self", "container"]

TType = TypeVar("TType", bound=str)
TPayload = TypeVar("TPayload")


class ActionConfig(Wire):
    """An action inside a widget: what is sent to whom when it fires."""

    _drop_none = True

    type: str
    payload: Any = None
    handler: Handler = "server"
    loadingBehavior: LoadingBehavior = "auto"
    streaming: bool = True


class _Action(Wire):
    """An action as the server receives it. ``type`` is required; extra keys are ignored."""

    type: str
    payload: Any = None


class _TypedAction:
    """``Action[Literal["x"], Payload]``: callable, subclassable, and knows its type name."""

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.__origin__ = _Action
        self.__args__ = args

    def __call__(self, **fields: Any) -> _Action:
        name = self._name()
        return _Action(
            **({"type": name} if name is not None and "type" not in fields else {}), **fields
        )

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (type("Action", (_ActionBase,), {"_action_args": self.__args__}),)

    def _name(self) -> str | None:
        kind = self.__args__[0]
        names = get_args(kind) if get_origin(kind) is Literal else ()
        return names[0] if len(names) == 1 and isinstance(names[0], str) else None

    def create(
        self,
        payload: Any = None,
        handler: Handler = "server",
        loading_behavior: LoadingBehavior = "auto",
        streaming: bool = True,
    ) -> ActionConfig:
        name = self._name()
        if name is None:
            raise TypeError(
                "create() needs an action with one literal type, such as Action[Literal['x'], Payload]"
            )
        return ActionConfig(
            type=name,
            payload=payload,
            handler=handler,
            loadingBehavior=loading_behavior,
            streaming=streaming,
        )


class _ActionBase(_Action):
    """What ``class Send(Action[Literal["send"], Payload])`` really subclasses."""

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> ActionConfig:
        return _TypedAction(cast("Any", cls)._action_args).create(*args, **kwargs)


if TYPE_CHECKING:

    class Action(_Action, Generic[TType, TPayload]):
        """An action as the server receives it; ``Action[Literal["x"], Payload]`` names its type and payload."""

        type: TType  # pyright: ignore[reportIncompatibleVariableOverride]
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
    Action = _Action
    Action.__name__ = Action.__qualname__ = "Action"
    Action.__class_getitem__ = classmethod(
        lambda cls, args: _TypedAction(args if isinstance(args, tuple) else (args,))
    )
    Action.create = classmethod(lambda cls, *_, **__: _TypedAction((str,)).create())
