"""Do two answers to the same request say the same?

Compared are the status, the headers that clients look at, and the body: JSON as values,
its lists as sets (the order of none of them is promised), without what each server makes
up itself: request ids, times, uuids of what had none given.
"""
import html
import json
import re


SAME_HEADERS = ['content-type', 'openstack-api-version', 'vary', 'allow', 'cache-control',
                'www-authenticate']
PRESENT_HEADERS = ['last-modified', 'x-openstack-request-id', 'location']
REQUEST_ID = re.compile(r'req-[0-9a-f-]{36}')
# What has failed where in a document is said as upstream says it, without the schema and
# the instance.
SCHEMA = re.compile(r"(Failed validating '\w+') in schema.*?(On instance.*?):( .*|$)")
# Where upstream quotes its parser or database, the words are a library's.
LIBRARY_WORDS = re.compile(r"((?<=Malformed JSON:)|(?<=Update conflict:)|"
                           r"(?<='utf-8' codec can't decode )|"
                           r"(?<=invalid version string: )).*")
# Of several unknown traits upstream names any one; of several bad inventories it names the
# classes and providers in any order.
ANY_TRAIT = re.compile(r'(?<=No such trait\(s\): )\S+')
ANY_ORDER = re.compile(r"(?<=')[^' ]+(, [^' ]+)+(?=')|(?<=No such trait )\w+(, \w+)+|"
                       r"(?<=\[)'[^]]*(?=\])")


def plain(text):
    return ' '.join(REQUEST_ID.sub('REQUEST-ID', text).split())


def normal(value, key=None):
    if isinstance(value, dict):
        return {k: normal(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((normal(v) for v in value), key=canonical)
    if key == 'detail' and isinstance(value, str):
        return normal_detail(plain(value))
    if key == 'request_id' and isinstance(value, str):
        return 'REQUEST-ID'
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON has one kind of number
    return value


def normal_detail(text):
    text = SCHEMA.sub(r'\1 \2', LIBRARY_WORDS.sub('', text))
    text = ANY_TRAIT.sub('TRAIT', text)
    return ANY_ORDER.sub(lambda m: ', '.join(sorted(m.group().split(', '))), text).strip()


def canonical(value):
    return json.dumps(value, sort_keys=True)


def body(reply):
    if not reply.body:
        return None
    data = reply.json()
    if data is None and reply.body.strip() != b'null':
        # Entities are another spelling of the same.
        return normal_detail(plain(html.unescape(reply.body.decode('utf-8', 'replace'))))
    return normal(data)


def location(reply, made_up):
    """Where something was made, as its server names itself."""
    place = reply.headers.get('location', '').replace(reply.url, 'URL')
    return re.sub('[0-9a-f-]{36}$', 'UUID', place) if made_up else place


def differences(request, ours, theirs, made_up=False):
    """A list of lines, empty when both say the same."""
    found = []
    if ours.status != theirs.status:
        found.append('status: %d, upstream %d' % (ours.status, theirs.status))
    for name in SAME_HEADERS:
        if request.method == 'HEAD' and name == 'content-type':
            continue  # of a body that does not come
        one, other = ours.headers.get(name), theirs.headers.get(name)
        if one != other:
            found.append('header %s: %r, upstream %r' % (name, one, other))
    for name in PRESENT_HEADERS:
        one, other = name in ours.headers, name in theirs.headers
        if one != other:
            found.append('header %s: %s, upstream %s' % (
                name, *('there' if is_there else 'missing' for is_there in (one, other))))
    where = [location(reply, made_up) for reply in (ours, theirs)]
    if where[0] != where[1]:
        found.append('location: %r, upstream %r' % tuple(where))
    if made_up or request.method == 'HEAD':
        return found
    one, other = body(ours), body(theirs)
    if canonical(one) != canonical(other):
        found += body_differences('body', one, other)
    return found


def body_differences(where, one, other):
    """What is not the same, by its place in the document."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted(set(one) | set(other)):
            if key not in one or key not in other:
                found.append('%s.%s: %s' % (where, key, 'only upstream has it: %s' %
                                            short(other[key]) if key not in one
                                            else 'upstream has it not: %s' %
                                            short(one[key])))
            else:
                found += body_differences('%s.%s' % (where, key), one[key], other[key])
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other) == 1:
        return body_differences(where + '[0]', one[0], other[0])
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = ({canonical(v) for v in values} for values in (one, other))
        found = ['%s: only upstream has %s' % (where, v) for v in sorted(theirs - ours)]
        found += ['%s: upstream has it not: %s' % (where, v) for v in sorted(ours - theirs)]
        if not found and len(one) != len(other):
            found = ['%s: %d items, upstream %d' % (where, len(one), len(other))]
        return found[:10]
    if canonical(one) == canonical(other):
        return []
    return ['%s: %s, upstream %s' % (where, short(one), short(other))]


def short(value):
    text = canonical(value)
    return text if len(text) < 400 else text[:400] + '...'


# ---- candidates with a limit: which ones come is the server's choice ----

def limited_candidates(request, ours, theirs, everything):
    """`everything` is our answer to the same request without the limit, which was the same
    as upstream's."""
    found = [line for line in differences(request, ours, theirs)
             if not line.startswith('body')]
    data, limited, other = everything.json(), ours.json(), theirs.json()
    if ours.status != 200 or theirs.status != 200:
        return found
    known = {canonical(normal(c)) for c in data['allocation_requests']}
    given = [canonical(normal(c)) for c in limited['allocation_requests']]
    if len(given) != len(other['allocation_requests']):
        found.append('%d candidates, upstream %d' % (len(given),
                                                     len(other['allocation_requests'])))
    found += ['not among all candidates: ' + c for c in given if c not in known]
    summaries = limited['provider_summaries']
    for who, summary in summaries.items():
        if canonical(normal(summary)) != canonical(normal(data['provider_summaries'][who])):
            found.append('summary of %s is another with a limit' % who)
    expected = summarised(limited, data['provider_summaries'])
    if expected is not None and expected != set(summaries):
        found.append('summaries of %s, expected %s' % (sorted(summaries), sorted(expected)))
    return found


def summarised(limited, summaries):
    """Whose summaries come with the candidates: all of the trees that they take from.
    None where the microversion does not show trees."""
    used = set()
    for candidate in limited['allocation_requests']:
        allocations = candidate['allocations']
        used |= {a['resource_provider']['uuid'] for a in allocations} \
            if isinstance(allocations, list) else set(allocations)
    if not all('root_provider_uuid' in s for s in summaries.values()):
        return None
    roots = {summaries[who]['root_provider_uuid'] for who in used}
    return {who for who, s in summaries.items() if s['root_provider_uuid'] in roots}
