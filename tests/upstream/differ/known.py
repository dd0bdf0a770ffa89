"""The differences from OpenStack's Placement that are meant. Each says why, and decides
line by line what compare.py found whether it is this one.

One more the generators keep out of the way (World.retire_consumers): of a request that is
refused for a provider that there is not, upstream keeps the consumer that it has made
already, without allocations; the same request made right must then name its generation.
Ours keeps nothing of what it refuses.

And what the generators do not make: upstream takes names with a line's end after them and
NUL in texts, which ours refuses; on MariaDB it finds names whatever their case and the blanks
after them; of two bad members of PUT .../inventories/{class} it tells the generation first,
ours last."""
import json
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


def has_shared_and_other_groups(request, ours):
    """Some candidate serves the group without a suffix by sharing providers alone, and
    others besides."""
    parts = urllib.parse.urlsplit(request.path)
    names = urllib.parse.parse_qs(parts.query)
    if parts.path != '/allocation_candidates' or 'resources' not in names or \
            not any(n.startswith('resources') and n != 'resources' for n in names):
        return False
    data = ours.json()
    shared = {who for who, summary in data['provider_summaries'].items()
              if 'MISC_SHARES_VIA_AGGREGATE' in summary.get('traits', ())}
    return any(set(c['mappings']['']) <= shared if 'mappings' in c
               else shared & set(c['allocations']) for c in data['allocation_requests'])


# Standard traits of os-traits' releases after 2.9.
LATER_TRAITS = {
    'COMPUTE_ADDRESS_SPACE_EMULATED',
    'COMPUTE_ADDRESS_SPACE_PASSTHROUGH',
    'COMPUTE_SECURITY_STATELESS_FIRMWARE',
    'COMPUTE_SECURITY_TPM_CRB',
    'COMPUTE_SECURITY_TPM_SECRET_SECURITY_DEPLOYMENT',
    'COMPUTE_SECURITY_TPM_SECRET_SECURITY_HOST',
    'COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER',
    'COMPUTE_SECURITY_TPM_TIS',
    'COMPUTE_SHARE_LOCAL_FS',
    'COMPUTE_SOUND_MODEL_AC97',
    'COMPUTE_SOUND_MODEL_ES1370',
    'COMPUTE_SOUND_MODEL_ICH6',
    'COMPUTE_SOUND_MODEL_ICH9',
    'COMPUTE_SOUND_MODEL_PCSPK',
    'COMPUTE_SOUND_MODEL_SB16',
    'COMPUTE_SOUND_MODEL_USB',
    'COMPUTE_SOUND_MODEL_VIRTIO',
    'COMPUTE_USB_MODEL_NEC_XHCI',
    'COMPUTE_USB_MODEL_QEMU_XHCI',
    'HW_CPU_X86_AMD_SEV_ES',
    'HW_NVME_BES',
    'HW_NVME_CES',
    'HW_NVME_WZS',
    'HW_PCI_LIVE_MIGRATABLE',
    'HW_PCI_ONE_TIME_USE',
}


def is_strict_json(body):
    def refuse(constant):
        raise ValueError(constant)
    try:
        json.loads(body or b'', parse_constant=refuse)
    except ValueError:
        return False
    return True


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
          ('body' in line or 'candidates' in line) and asks_a_class_in_two_groups(request)),
    Known('shared-only-anchors',
          'What the group without a suffix takes from sharing providers alone can serve every '
          'tree they share with, but upstream takes it for the same thing and keeps it for one '
          'tree, so that combinations with other groups in other trees are missing.',
          lambda request, ours, theirs, line: ours.status == theirs.status == 200 and
          'only upstream' not in line and has_shared_and_other_groups(request, ours)),
    Known('strict-json',
          'Python reads NaN and Infinity, which JSON has not: ours is refused as malformed, '
          'upstream by its schema.',
          lambda request, ours, theirs, line: ours.status == theirs.status == 400 and
          b'Malformed JSON' in ours.body and not is_strict_json(request.body)),
    Known('last-modified-of-new',
          'Upstream has no time of change of a provider that was made and never changed, and '
          'leaves out Last-Modified when PUT changes nothing. Ours is when it was made.',
          lambda request, ours, theirs, line: request.method == 'PUT' and
          request.path.count('/') == 2 and line.startswith('header last-modified') and
          'last-modified' not in theirs.headers),
    Known('first-in-use',
          'Where several providers are not to lose what is in use, the reshaper names the '
          'first: upstream by the order of the body, ours by when they were made.',
          lambda request, ours, theirs, line: request.path == '/reshaper' and
          'detail' in line and all(b'update conflict: Inventory for' in reply.body
                                   for reply in (ours, theirs))),
    Known('beyond-64-bits',
          'Where a refusal quotes a number of the request that has more than 64 bits, ours '
          'quotes the largest that has 64.',
          lambda request, ours, theirs, line: ours.status == theirs.status and
          'detail' in line and str(2 ** 63).encode() in (request.body or b'')),
    Known('case-of-uuids',
          'MariaDB compares without regard to case, SQLite does not; ours takes a uuid in a '
          'path as it is.',
          lambda request, ours, theirs, line: ours.status == 404 and
          request.path.lower() != request.path and 'uuid' in str(ours.body)),
    Known('later-traits',
          'Debian 12 has os-traits 2.9; ours knows the names of later releases too.',
          lambda request, ours, theirs, line: request.path.startswith('/traits') and
          line.startswith('body.traits') and 'upstream has it not' in line and
          line.rsplit('"', 2)[1] in LATER_TRAITS),
    Known('uuids-in-queries',
          'Since 13.0 upstream takes uuid= and in_tree= only in the usual form, and answers '
          'others with 400, though it still takes them in paths and bodies. Ours finds '
          'nothing by them, as upstream did before.',
          lambda request, ours, theirs, line: theirs.status == 400 and ours.status == 200 and
          b"is not a 'uuid'" in theirs.body and request.path.startswith('/resource_providers?')),
    Known('vary-on-errors',
          'Upstream leaves out Vary where an error arises outside of a handler. It holds '
          'for these answers too, so ours have it.',
          lambda request, ours, theirs, line: theirs.status >= 400 and
          line.startswith('header vary') and
          theirs.headers.get('vary') in (None, 'Origin')),
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
