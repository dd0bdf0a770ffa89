"""The differences from OpenStack's Placement that are meant. Each says why, and decides
line by line what compare.py found whether it is this one."""
import urllib.parse


class Known:
    def __init__(self, name, reason, test):
        """`test` gets the request, both answers and one line of what differs."""
        self.name, self.reason, self.test = name, reason, test


def asks_a_class_in_two_groups(request):
    """For candidates, with and without a suffix, and not with group_policy=none."""
    parts = urllib.parse.urlsplit(request.path)
    items = urllib.parse.parse_qs(parts.query)
    if parts.path != '/allocation_candidates' or items.get('group_policy') == ['none']:
        return False
    asked = {name: {r.split(':')[0] for r in values[-1].split(',')}
             for name, values in items.items() if name.startswith('resources')}
    plain = asked.pop('resources', set())
    return any(plain & classes for classes in asked.values())


KNOWN = [
    Known('upstream-fails',
          'Upstream answers 500 where its code or its database does not expect the input. '
          'Any answer but a failure of ours will do.',
          lambda request, ours, theirs, line: theirs.status >= 500 and ours.status < 500),
    Known('amounts-added-twice',
          'When the group without a suffix and another take a class from one provider, '
          'upstream adds to an amount that other candidates share, unless group_policy is '
          'none: their amounts come out too large, or they are missing. Ours are the sums.',
          lambda request, ours, theirs, line: ours.status == theirs.status == 200 and
          line.startswith('body') and asks_a_class_in_two_groups(request)),
    Known('vary-on-errors',
          'Upstream leaves out Vary where an error arises outside of a handler. It holds '
          'for these answers too, so ours have it.',
          lambda request, ours, theirs, line: theirs.status >= 400 and
          line.startswith('header vary') and 'vary' not in theirs.headers),
]


def sort_out(request, ours, theirs, found):
    """The lines that no known difference explains, and the names of those that do."""
    left, names = [], set()
    for line in found:
        name = next((k.name for k in KNOWN if k.test(request, ours, theirs, line)), None)
        if name:
            names.add(name)
        else:
            left.append(line)
    return left, names
