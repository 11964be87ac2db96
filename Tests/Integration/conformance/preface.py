"""RFC 9113, 3: how a connection begins."""

from .cases import Case, answered, byte_by_byte, closed, connection_error, fact
from .frames import (
    ENABLE_PUSH, GOAWAY, PREFACE, frame, get, headers, head, ping, settings, window_update)

START = PREFACE + settings()


def raw(id, demand, steps, expect, **more):
    return Case(f"9113-3.4-{id}", demand, steps, expect, greet=False, **more)


CASES = [
    raw("prior-knowledge", "A client that knows may begin with the preface.",
        (START, settings(ack=True), get()), answered(), tls=True),
    raw("requests-at-once", "Requests may follow the preface before the server's SETTINGS.",
        (START + get(1) + get(3),), answered(), stream=3, tls=True),
    raw("dribbled", "How TCP cuts the preface means nothing.",
        (byte_by_byte(START + get()),), answered(), tls=True),
    raw("settings-with-entries", "The first SETTINGS may hold entries.",
        (PREFACE + settings((ENABLE_PUSH, 0)) + get(),), answered()),
    raw("server-settings", "The server's first frame is SETTINGS, and it acknowledges ours.",
        (START,), fact("SETTINGS", lambda seen: seen.has_settings and seen.acknowledged == 1),
        tls=True),
    raw("no-preface", "What begins with other bytes is no HTTP/2.",
        (b"INVALID CONNECTION PREFACE\r\n\r\n",), closed()),
    raw("wrong-end", "All of the preface must be right: its last byte, too.",
        (PREFACE[:-1] + b"!" + settings(),), closed(), tls=True),
    raw("wrong-middle", "All of the preface must be right: the letters between, too.",
        (PREFACE.replace(b"SM", b"SN") + settings(),), closed(), tls=True),
    raw("repeated", "A second preface is no frame.",
        (START + PREFACE,), connection_error("FRAME_SIZE_ERROR", "PROTOCOL_ERROR")),
    raw("no-settings-but-ping", "SETTINGS must be the first frame, not PING.",
        (PREFACE + ping(),), connection_error("PROTOCOL_ERROR", closes=True), tls=True),
    raw("no-settings-but-headers", "SETTINGS must be the first frame, not HEADERS.",
        (PREFACE + headers(1, head()),), connection_error("PROTOCOL_ERROR", closes=True)),
    raw("no-settings-but-goaway", "SETTINGS must be the first frame, not GOAWAY.",
        (PREFACE + frame(GOAWAY, 0, 0, bytes(8)),), closed()),
    raw("no-settings-but-window-update", "SETTINGS must be the first frame, not WINDOW_UPDATE.",
        (PREFACE + window_update(0, 1),), connection_error("PROTOCOL_ERROR", closes=True)),
    raw("no-settings-but-unknown", "SETTINGS must be the first frame, not an unknown one.",
        (PREFACE + frame(0x77, 0, 0, b"x"),), connection_error("PROTOCOL_ERROR", closes=True)),
    raw("no-settings-but-ack", "The first SETTINGS are settings, not an acknowledgement.",
        (PREFACE + settings(ack=True),), connection_error("PROTOCOL_ERROR", closes=True)),
]
