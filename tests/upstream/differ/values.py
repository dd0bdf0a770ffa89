"""Random values: microversions, headers, names, JSON that is a little wrong."""
import copy

LATEST = 39
BAD_VERSIONS = ['1.40', '2.0', '0.9', '1', 'x', '1.x', '1.1.1', '', '-1.0', 'latests']


def version(rng, least=0):
    """Mostly one at which the route exists."""
    dice = rng.random()
    if dice < 0.45:
        return '1.39'
    if dice < 0.85:
        return '1.%d' % rng.randint(least, LATEST)
    if dice < 0.92:
        return '1.%d' % rng.randint(0, LATEST)
    if dice < 0.96:
        return 'latest'
    return None if rng.random() < 0.6 else rng.choice(BAD_VERSIONS)


def number_of(version_text):
    """39 for '1.39'; what a server takes where there is none or a bad one."""
    if version_text is None:
        return 0
    if version_text == 'latest':
        return LATEST
    try:
        return int(version_text.split('.')[1])
    except (IndexError, ValueError):
        return 0


def odd_headers(rng):
    """Now and then something unusual about the request."""
    if rng.random() > 0.06:
        return {}
    return rng.choice([
        {'accept': 'text/plain'}, {'accept': 'text/html'}, {'accept': '*/*'},
        {'accept': 'application/*;q=0.5, text/plain'}, {'accept': 'image/png'},
        {'accept': None}, {'accept': 'application/json;q=0'},
        {'content-type': 'text/plain'}, {'content-type': None},
        {'content-type': 'application/json; charset=utf-8'},
        {'content-type': 'application/octet-stream'},
        {'x-auth-token': None}, {'x-auth-token': 'somebody'},
        {'x-auth-token': 'admin:project'}, {'x-auth-token': 'u:p', 'x-roles': 'admin'},
        {'x-auth-token': 'u:p', 'x-roles': 'member,reader'},
        {'openstack-api-version': 'compute 2.1'},
        {'openstack-api-version': 'compute 2.1, placement 1.30'},
        {'openstack-api-version': 'placement 1.10, compute 2.1'},
        {'openstack-api-version': 'placement'},
        {'openstack-api-version': 'PLACEMENT 1.30'},
    ])


WRONG = [None, True, False, 0, -1, 1, 1.5, 2 ** 31 - 1, 2 ** 31, 2 ** 63, '', 'x', '1',
         'CUSTOM_X', 'custom_x', [], {}, ['a'], {'a': 1}, [None], 'é', 'a' * 201, 'A' * 256]


def paths(data, prefix=()):
    """The path of every value in a JSON document."""
    yield prefix
    items = data.items() if isinstance(data, dict) else \
        enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from paths(value, prefix + (key,))


def spoil(rng, data):
    """A copy with one thing changed: a value of another kind, a member more or less."""
    data = copy.deepcopy(data)
    path = rng.choice(list(paths(data)))
    parent, key, value = None, None, data
    for step in path:
        parent, key, value = value, step, value[step]
    kind = rng.random()
    if isinstance(value, dict) and value and kind < 0.35:
        del value[rng.choice(sorted(value))]
    elif isinstance(value, dict) and kind < 0.6:
        value[rng.choice(['extra', 'uuid', 'CUSTOM_EXTRA', 'generation', 'lower'])] = \
            rng.choice(WRONG)
    elif parent is None:
        return rng.choice(WRONG)
    else:
        parent[key] = rng.choice(WRONG)
    return data


def spoil_text(rng, text):
    """JSON text that is no JSON, or is more than JSON."""
    return rng.choice([
        b'', b'{', text[:-1], text + b'}', text + b' x', b'\xff' + text, b'null', b'[]',
        b'"text"', b'12', text.replace(b'"', b"'"), b'{"a": NaN}', b'[' * 200,
    ])
