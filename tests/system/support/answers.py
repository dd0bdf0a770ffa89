"""What servers, proxies and networks give in place of an answer: verdicts of relay.py."""
import json

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


KEYSTONE_401 = (401, [("Content-Type", "application/json")], json.dumps(
    {"error": {"code": 401, "title": "Unauthorized",
               "message": "The request you have made requires authentication."}}).encode())
LARGE = [b"[", *[b"1," * 500_000] * 100, b"1]"]  # 100 MB
ANSWERS = {
    "400": refusal(400), "401": KEYSTONE_401, "403": refusal(403), "404": refusal(404),
    "406": refusal(406),
    "409 concurrent": refusal(409, "placement.concurrent_update"),
    "409 in use": refusal(409, "placement.inventory.inuse"),
    "429": refusal(429), "500": (500, [("Content-Type", "text/html")],
                                 b"<html><title>500</title>\n<p>Internal Server\n"),
    "502": (502, [], b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"),
    "503": (503, [("Retry-After", "1")], b""),
    "cut": CUT, "answer lost": LOSE, "no answer": STALL,
    "truncated": raw(b'{"resource_providers": [{"uui', length=5000),
    "half json": raw(b'{"resource_prov'),
    "garbage": [b"\x00\xff\x13 not HTTP at all \r\n\r\n" * 10],
    "wrong json": raw(b'{"resource_providers": {"uuid": [1e999, null]}}'),
    "other json": raw(b'[]'), "empty": raw(b""),
    "binary json": raw(b'{"traits": ["\xff\xfe\x00"], "x": "\\u0000"}'),
    "large": raw(*LARGE),
    "large without length": [HEAD, b"\r\n", *LARGE],
    "endless header": [HEAD, b"X: " + b"x" * 3_000_000],
}
