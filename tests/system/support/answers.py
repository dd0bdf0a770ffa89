"""What servers, proxies and networks give in place of an answer: verdicts of relay.py."""
import json
import time

from .relay import CUT, LOSE, STALL


def refusal(status, code="", title="No"):
    """As Placement refuses."""
    body = json.dumps({"errors": [{"status": status, "title": title, "code": code,
                                   "detail": "That was not possible.\n\n ",
                                   "request_id": "req-6e5b3a9c"}]}).encode()
    return status, [("Content-Type", "application/json")], body


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def raw(*body, length=None):
    length = sum(map(len, body)) if length is None else length
    return [HEAD, f"Content-Length: {length}\r\n\r\n".encode(), *body]


def without_end():
    yield HEAD + b"\r\n"
    while True:
        yield b" "
        time.sleep(0.02)


def with_type(content_type, body):
    return [f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode(), body]


def page(status, title):
    """As proxies refuse."""
    return (status, [("Content-Type", "text/html")],
            f"<html>\r\n<head><title>{status} {title}</title></head>\r\n".encode())


def redirect(status):
    return status, [("Location", "http://127.0.0.1:1/placement")], b""


KEYSTONE_401 = (401, [("Content-Type", "application/json")], json.dumps(
    {"error": {"code": 401, "title": "Unauthorized",
               "message": "The request you have made requires authentication."}}).encode())
LARGE = [b"[", *[b"1," * 500_000] * 100, b"1]"]  # 100 MB
# Until a timeout ends them.
ENDLESS = {"no answer": STALL, "an answer without end": without_end}
ANSWERS = {
    "400": refusal(400), "401": KEYSTONE_401, "403": refusal(403), "404": refusal(404),
    "405": (405, [("Allow", "HEAD")], b""), "406": refusal(406),
    "409 concurrent": refusal(409, "placement.concurrent_update"),
    "409 in use": refusal(409, "placement.inventory.inuse"),
    "409 duplicate": refusal(409, "placement.duplicate_name"),
    "413": page(413, "Request Entity Too Large"), "415": refusal(415),
    "429": refusal(429), "500": page(500, "Internal Server Error"),
    "502": page(502, "Bad Gateway"), "503": (503, [("Retry-After", "1")], b""),
    "504": page(504, "Gateway Time-out"),
    "301": redirect(301), "302": redirect(302), "307": redirect(307), "308": redirect(308),
    "cut": CUT, "answer lost": LOSE,
    "cut in the status": [b"HTTP/1."],
    "cut in the headers": [HEAD[:-20]],
    "cut in the body": raw(b'{"resource_providers": [{"uui', length=5000),
    "cut in a chunk": [HEAD, b"Transfer-Encoding: chunked\r\n\r\n400\r\n{"],
    "no chunk": [HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"],
    "half json": raw(b'{"resource_prov'),
    "garbage": [b"\x00\xff\x13 not HTTP at all \r\n\r\n" * 10],
    "a page": with_type("text/html", b"<html><title>Welcome</title>Please log in"),
    "text": with_type("text/plain", b"ok\n"),
    "unknown encoding": [HEAD, b"Content-Encoding: lzma\r\n\r\n\x5d\x00"],
    "wrong json": raw(b'{"resource_providers": {"uuid": [1e999, null]}}'),
    "other json": raw(b'[]'), "null": raw(b"null"), "empty": raw(b""),
    "deep json": raw(b"[" * 100_000),
    "binary json": raw(b'{"traits": ["\xff\xfe\x00"], "x": "\\u0000"}'),
    "large": raw(*LARGE),
    "large without length": [HEAD, b"\r\n", *LARGE],
    # Below the bound on replies, but in memory a hundred times that.
    "large in memory": raw(b"[", *[b"1," * 500_000] * 15, b"1]"),
    "larger in memory": raw(b"[", *[b"{}," * 333_000] * 15, b"1]"),
    "endless header": [HEAD, b"X: " + b"x" * 3_000_000],
    **ENDLESS,
}
