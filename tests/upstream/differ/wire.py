"""One exchange over HTTP, kept as plain data."""
import http.client
import json
import shlex
import urllib.parse


class Request:
    """A request that can be sent to any server. `body` is bytes, or data that is sent
    as JSON. `note` says what it was made for."""

    def __init__(self, method, path, body=None, version='1.39', headers=None, note=''):
        self.method, self.path, self.note = method, path, note
        self.headers = {'x-auth-token': 'admin', 'accept': 'application/json'}
        if version is not None:
            self.headers['openstack-api-version'] = 'placement ' + version
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.body = body
        if body is not None:
            self.headers['content-type'] = 'application/json'
        for name, value in (headers or {}).items():
            if value is None:
                self.headers.pop(name, None)
            else:
                self.headers[name] = value

    @property
    def writes(self):
        return self.method not in ('GET', 'HEAD', 'OPTIONS')

    def makes_up_uuid(self):
        """The server gives what is made a uuid of its own."""
        if self.method != 'POST' or not self.path.startswith('/resource_providers') or \
                self.path.count('/') > 1:
            return False
        try:
            data = json.loads(self.body or b'')
        except ValueError:
            return False
        return isinstance(data, dict) and 'uuid' not in data

    def as_curl(self, url):
        words = ['curl', '-i', '-X', self.method]
        for item in self.headers.items():
            words += ['-H', '%s: %s' % item]
        if self.body is not None:
            words += ['--data-binary', self.body.decode('utf-8', 'backslashreplace')]
        return ' '.join(map(shlex.quote, words + [url + self.path]))


class Reply:
    """`url` is that of the server."""

    def __init__(self, status, headers, body, url):
        self.status, self.headers, self.body, self.url = status, headers, body, url

    def json(self):
        """The body's value; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __str__(self):
        lines = ['%d' % self.status]
        lines += ['%s: %s' % item for item in sorted(self.headers.items())]
        return '\n'.join(lines) + '\n\n' + self.body.decode('utf-8', 'replace')


class Server:
    def __init__(self, url, timeout=120):
        parts = urllib.parse.urlsplit(url)
        self.url = url.rstrip('/')
        self.prefix = parts.path.rstrip('/')
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port or 80,
                                                     timeout=timeout)

    def send(self, request):
        """Sends it once more when a kept connection turns out to be closed."""
        for last in (False, True):
            try:
                return self._send_once(request)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                if last:
                    raise

    def _send_once(self, request):
        wire = self.connection
        wire.putrequest(request.method, self.prefix + request.path,
                        skip_accept_encoding=True)
        for item in request.headers.items():
            wire.putheader(*item)
        if request.body is not None:
            wire.putheader('content-length', str(len(request.body)))
        wire.endheaders(request.body)
        reply = wire.getresponse()
        headers = {}
        for name, value in reply.getheaders():
            name = name.lower()
            headers[name] = headers[name] + ', ' + value if name in headers else value
        return Reply(reply.status, headers, reply.read(), self.url)

    def json(self, method, path, body=None, version='1.39'):
        """What the runner itself asks, outside the comparison."""
        reply = self.send(Request(method, path, body, version))
        return reply.status, reply.json()
