"""What tests of a ChatKit server need: a bridge that streams, and a client of the protocol.

``chatkit_asgi.testing.store_contract`` holds the promises of stores, to run on a store of your own; it is not loaded
from here, because it needs pytest.
"""

from .answers import Answer, Failed, PageAnswer, Turn
from .asgi import HANG_UP, ASGIBridge, ASGIResponse, NoResponse
from .client import ChatKitClient
from .state import ThreadState
from .transports import BridgeTransport, SocketTransport, Transport, TransportResponse

__all__ = [
    "HANG_UP",
    "ASGIBridge",
    "ASGIResponse",
    "Answer",
    "BridgeTransport",
    "ChatKitClient",
    "Failed",
    "NoResponse",
    "PageAnswer",
    "SocketTransport",
    "ThreadState",
    "Transport",
    "TransportResponse",
    "Turn",
]
