"""A provider's whole life, step by step, in each microversion: what the version takes, and
what only others take. And requests that are odd in ways that dice seldom throw."""
import uuid

from .wire import Request


def made_uuid(*numbers):
    return str(uuid.UUID(int=sum(n << (16 * i) for i, n in enumerate(numbers)),
                         version=4))


class Life:
    """`minor` is the version asked for, `form` the one whose bodies are sent."""

    def __init__(self, minor, form):
        self.minor, self.form = minor, form
        self.root, self.child, self.other, self.aggregate, self.user, self.second = (
            made_uuid(n, minor + 1, form + 1) for n in range(1, 7))
        tag = '%d_%d' % (minor, form)
        self.name = 'life-' + tag
        self.klass, self.trait = 'CUSTOM_C_' + tag, 'CUSTOM_T_' + tag

    def send(self, method, path, body=None):
        return Request(method, path, body, '1.%d' % self.minor)

    def requests(self):
        yield from self.names()
        yield from self.providers()
        yield from self.inventories()
        yield from self.sets()
        yield from self.lists()
        yield from self.allocations()
        yield from self.candidates()
        yield from self.reshape()
        yield from self.end()

    def names(self):
        send, klass, trait = self.send, self.klass, self.trait
        yield send('GET', '/')
        yield send('POST', '/resource_classes', {'name': klass})
        yield send('POST', '/resource_classes', {'name': klass})
        yield send('PUT', '/resource_classes/' + klass, {'name': klass + '_B'})
        yield send('PUT', '/resource_classes/' + klass + '_B', {'name': 'VCPU'})
        yield send('PUT', '/resource_classes/' + klass + '_B', {'name': klass})
        yield send('PUT', '/resource_classes/' + klass)
        yield send('PUT', '/resource_classes/VCPU', {'name': klass + '_D'})
        yield send('GET', '/resource_classes/' + klass)
        yield send('GET', '/resource_classes')
        yield send('DELETE', '/resource_classes/VCPU')
        yield send('DELETE', '/resource_classes/CUSTOM_NOBODYS')
        yield send('PUT', '/traits/' + trait)
        yield send('PUT', '/traits/' + trait)
        yield send('PUT', '/traits/NOT_CUSTOM')
        yield send('GET', '/traits/' + trait)
        yield send('GET', '/traits/CUSTOM_NOBODYS')
        yield send('GET', '/traits?name=startswith:CUSTOM_T_')
        yield send('DELETE', '/traits/HW_NUMA_ROOT')

    def providers(self):
        send = self.send
        child = {'name': self.name + '-child', 'uuid': self.child}
        if self.form >= 14:
            child['parent_provider_uuid'] = self.root
        yield send('POST', '/resource_providers',
                   {'name': self.name, 'uuid': self.root})
        yield send('POST', '/resource_providers',
                   {'name': self.name, 'uuid': self.other})
        yield send('POST', '/resource_providers',
                   {'name': self.name + '-x', 'uuid': self.root})
        yield send('POST', '/resource_providers', child)
        yield send('POST', '/resource_providers',
                   {'name': self.name + '-other', 'uuid': self.other})
        for who in (self.root, self.child):
            yield send('GET', '/resource_providers/' + who)
        yield send('PUT', '/resource_providers/' + self.other, {'name': self.name})
        for parent in (self.root, self.child, None, self.other, self.user):
            yield send('PUT', '/resource_providers/' + self.other,
                       {'name': self.name + '-moved', 'parent_provider_uuid': parent})
        yield send('PUT', '/resource_providers/' + self.other,
                   {'name': self.name + '-moved'})

    def inventories(self):
        send, url = self.send, '/resource_providers/%s/inventories' % self.child
        full = {'total': 10, 'reserved': 10 if self.form >= 26 else 2, 'min_unit': 1,
                'max_unit': 5, 'step_size': 1, 'allocation_ratio': 1.5}
        yield send('PUT', url, {'resource_provider_generation': 0, 'inventories': {
            'VCPU': full, 'VGPU': {'total': 4}}})
        yield send('PUT', url, {'resource_provider_generation': 0, 'inventories': {}})
        yield send('PUT', url, {'resource_provider_generation': 1, 'inventories': {
            'VCPU': dict(full, reserved=2), 'VGPU': {'total': 4}}})
        yield send('GET', url)
        yield send('POST', url, {'resource_class': 'MEMORY_MB', 'total': 1024})
        yield send('POST', url, {'resource_class': 'MEMORY_MB', 'total': 1024,
                                 'resource_provider_generation': 3})
        yield send('POST', url, {'resource_class': 'NO_SUCH', 'total': 1})
        yield send('GET', url + '/VCPU')
        yield send('GET', url + '/DISK_GB')
        yield send('PUT', url + '/VCPU', {'resource_provider_generation': 9, 'total': 8})
        yield send('PUT', url + '/DISK_GB',
                   {'resource_provider_generation': 3, 'total': 8})
        yield send('PUT', url + '/VCPU', {'resource_provider_generation': 3, 'total': 8,
                                          'reserved': 8})
        yield send('PUT', url + '/VCPU', {'resource_provider_generation': 3, 'total': 8,
                                          'reserved': 9})
        yield send('PUT', url + '/VCPU', {'resource_provider_generation': 4, 'total': 8})
        yield send('PUT', '/resource_providers/%s/inventories' % self.root,
                   {'resource_provider_generation': 0,
                    'inventories': {'DISK_GB': {'total': 100}}})

    def sets(self):
        send, url = self.send, '/resource_providers/' + self.child
        for generation in (5, 99):
            body = [self.aggregate]
            if self.form >= 19:
                body = {'aggregates': body, 'resource_provider_generation': generation}
            yield send('PUT', url + '/aggregates', body)
        yield send('GET', url + '/aggregates')
        for generation in (5, 6, 99):
            yield send('PUT', url + '/traits', {
                'traits': [self.trait, 'HW_NUMA_ROOT'],
                'resource_provider_generation': generation})
        yield send('PUT', url + '/traits', {'traits': ['CUSTOM_NOBODYS'],
                                            'resource_provider_generation': 7})
        yield send('GET', url + '/traits')
        yield send('GET', '/traits?associated=true')
        yield send('DELETE', '/traits/' + self.trait)

    def lists(self):
        send, some = self.send, '/resource_providers?'
        for query in (
                'name=' + self.name, 'uuid=' + self.root, 'in_tree=' + self.root,
                'member_of=' + self.aggregate, 'member_of=in:' + self.aggregate,
                'member_of=!' + self.aggregate, 'member_of=in:x', 'resources=VGPU:1',
                'member_of=%s&member_of=in:%s,%s' % ((self.aggregate,) * 2 + (self.user,)),
                'resources=VGPU:1,VCPU:99999', 'resources=VGPU', 'resources=x:1',
                'required=' + self.trait, 'required=!' + self.trait,
                'required=in:%s,HW_NIC_SRIOV' % self.trait, 'required=,',
                'required=%s&required=!HW_NIC_SRIOV' % self.trait,
                'name=%s&name=nobody' % self.name, 'uuid=x', 'nothing=1', 'resources=',
                'in_tree=x'):
            yield send('GET', some + query)
        yield send('GET', '/resource_providers/%s/usages' % self.child)
        yield send('GET', '/resource_providers/%s/allocations' % self.child)

    def allocation(self, **resources):
        form = self.form
        if form < 12:
            body = {'allocations': [{'resource_provider': {'uuid': self.child},
                                     'resources': resources}]}
        else:
            body = {'allocations': {self.child: {'resources': resources}}}
        if form >= 8:
            body.update(project_id='project', user_id='user')
        if form >= 28:
            body['consumer_generation'] = None
        if form >= 34:
            body['mappings'] = {'': [self.child]}
        if form >= 38:
            body['consumer_type'] = 'INSTANCE'
        return body

    def allocations(self):
        send, one = self.send, '/allocations/' + self.user
        yield send('GET', one)
        yield send('PUT', one, self.allocation(VCPU=2, VGPU=1))
        yield send('GET', one)
        again = dict(self.allocation(VCPU=3), **(
            {'consumer_generation': 1} if self.form >= 28 else {}))
        yield send('PUT', one, again)
        yield send('GET', one)
        for body in (self.allocation(VCPU=99), self.allocation(DISK_GB=1),
                     self.allocation(NO_SUCH=1), self.allocation(VGPU=0), {}):
            yield send('PUT', '/allocations/' + self.second, body)
        yield send('POST', '/allocations', {
            self.user: dict(again, **({'consumer_generation': 2}
                                      if self.form >= 28 else {})),
            self.second: self.allocation(VGPU=2)})
        for query in ('project_id=project', 'project_id=project&user_id=user',
                      'user_id=user', 'project_id=project&consumer_type=INSTANCE',
                      'project_id=project&consumer_type=all',
                      'project_id=project&consumer_type=unknown'):
            yield send('GET', '/usages?' + query)
        yield send('GET', '/resource_providers/%s/usages' % self.child)
        yield send('GET', '/resource_providers/%s/allocations' % self.child)
        empty = self.allocation(VCPU=1)
        empty['allocations'] = {}
        yield send('PUT', '/allocations/' + self.second, dict(
            empty, **({'consumer_generation': 1} if self.form >= 28 else {})))
        yield send('PUT', '/resource_providers/%s/inventories' % self.child,
                   {'resource_provider_generation': 99, 'inventories': {}})
        yield send('DELETE', '/resource_providers/%s/inventories/VCPU' % self.child)
        yield send('DELETE', '/resource_providers/%s/inventories' % self.child)
        yield send('DELETE', '/resource_providers/' + self.child)
        yield send('DELETE', '/resource_providers/' + self.root)

    def candidates(self):
        for query in (
                'resources=VCPU:1', 'resources=VCPU:1,DISK_GB:1', 'resources=VCPU:1&limit=1',
                'resources=VCPU:1&limit=0', 'resources=VCPU:1&required=' + self.trait,
                'resources=VCPU:1&required=!' + self.trait,
                'resources=VCPU:1&required=in:%s,HW_NIC_SRIOV' % self.trait,
                'resources=VCPU:1&required=%s,!%s' % (self.trait, self.trait),
                'resources=VCPU:1&member_of=' + self.aggregate,
                'resources=VCPU:1&member_of=!' + self.aggregate,
                'resources=VCPU:1&member_of=%s&member_of=%s' % ((self.aggregate,) * 2),
                'resources=VCPU:1&in_tree=' + self.root, 'resources1=VCPU:1',
                'resources1=VCPU:1&resources2=VGPU:1',
                'resources1=VCPU:1&resources2=VGPU:1&group_policy=isolate',
                'resources1=VCPU:1&resources2=VGPU:1&group_policy=none',
                'resources1=VCPU:1&resources2=VGPU:1&group_policy=some',
                'resources_A=VCPU:1', 'resources=VCPU:1&root_required=!' + self.trait,
                'resources=VCPU:1&root_required=a&root_required=b',
                'resources_A=VCPU:1&required_B=%s&same_subtree=_A,_B'
                '&group_policy=none' % self.trait,
                'resources_A=VCPU:1&resources_B=DISK_GB:1&same_subtree=_A,_B'
                '&group_policy=none', 'resources_A=VCPU:1&same_subtree=_A,',
                'resources_A=VCPU:1&same_subtree=_A,_C', 'required=' + self.trait,
                'member_of=' + self.aggregate, 'in_tree=' + self.root, '',
                'resources=VCPU:1&required1=' + self.trait,
                'resources=VCPU:1&member_of1=' + self.aggregate,
                'resources=VCPU:1&in_tree1=' + self.root, 'resources=NO_SUCH:1',
                'resources=VCPU:1&required=NO_SUCH', 'resources=VCPU:0', 'resources=',
                'resources=VCPU:1&resources=VGPU:1', 'resources=VCPU:1&nothing=1'):
            yield self.send('GET', '/allocation_candidates?' + query)

    def reshape(self):
        inventories = {
            self.root: {'resource_provider_generation': 1, 'inventories': {
                'DISK_GB': {'total': 100}, 'VCPU': {'total': 8}}},
            self.child: {'resource_provider_generation': 99, 'inventories': {
                'VGPU': {'total': 4}}}}
        moved = self.allocation(VCPU=1)
        moved['allocations'] = {self.root: {'resources': {'VCPU': 1}}}
        for allocations in ({self.user: moved}, {self.user: self.allocation(VCPU=1)}, {}):
            yield self.send('POST', '/reshaper', {'inventories': inventories,
                                                  'allocations': allocations})
        yield self.send('POST', '/reshaper', {'allocations': {}})

    def end(self):
        send, url = self.send, '/resource_providers/' + self.child
        for who in (self.user, self.second, self.second):
            yield send('DELETE', '/allocations/' + who)
        yield send('DELETE', url + '/traits')
        yield send('DELETE', url + '/inventories/VGPU')
        yield send('DELETE', url + '/inventories/VGPU')
        yield send('DELETE', url + '/inventories')
        for who in (self.root, self.other, self.child, self.root, self.root):
            yield send('DELETE', '/resource_providers/' + who)
        yield send('DELETE', '/traits/' + self.trait)
        yield send('DELETE', '/resource_classes/' + self.klass)


# Each microversion in its own form, and in the form of the one before and after a change.
PARTS = [[Life(minor, minor) for minor in range(begin, begin + 10)]
         for begin in range(0, 40, 10)] + [
    [Life(change - before, change - 1 + before) for before in (0, 1)
     for change in (8, 12, 14, 19, 26, 28, 34, 38)]]


# ---- odd requests ----

WHO = made_uuid(1, 99)
PATHS = ['/', '', '/resource_classes', '/resource_classes/VCPU', '/resource_providers',
         '/resource_providers/' + WHO, '/resource_providers/%s/inventories' % WHO,
         '/resource_providers/%s/inventories/VCPU' % WHO,
         '/resource_providers/%s/usages' % WHO,
         '/resource_providers/%s/aggregates' % WHO,
         '/resource_providers/%s/allocations' % WHO,
         '/resource_providers/%s/traits' % WHO, '/allocations', '/allocations/' + WHO,
         '/allocation_candidates', '/traits', '/traits/HW_NUMA_ROOT', '/usages',
         '/reshaper', '/nowhere']
METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'FOO']


def odd_requests():
    yield from odd_ways()
    yield from odd_headers()
    yield from odd_names()
    yield from odd_queries()
    yield from odd_bodies()


def odd_ways():
    """Each method on each path, with and without a body."""
    for path in PATHS:
        for method in METHODS:
            yield Request(method, path)
            yield Request(method, path, {})
            yield Request(method, path, version=None, headers={'x-auth-token': None})
        for more in ('/', '//', '/x', '?', '%2F', ';x=1'):
            if path not in ('/', ''):
                yield Request('GET', path + more)


def odd_headers():
    accepts = ['text/html', 'text/plain', '*/*', '', 'application/*', 'application/xml',
               'application/json;q=0.1, text/html;q=0.9', 'text/html, application/json',
               'garbage', 'application/json, garbage', 'application/json;q=2',
               'text/*', 'APPLICATION/JSON', 'application/json;version=1',
               'application/json;q=1.0001', 'application/json;q=0.1234',
               'application/json; q=0.5;x=1', 'application/json;q=', '*/json', ',',
               'application/json,', 'text/html;level="a,b"', 'application/json;q=0']
    for accept in accepts:
        for method, path in (('GET', '/'), ('GET', '/resource_providers'),
                             ('GET', '/nowhere'), ('PUT', '/usages'),
                             ('GET', '/resource_providers?x=<b>&amp;')):
            yield Request(method, path, headers={'accept': accept})
            yield Request(method, path, headers={'accept': accept, 'x-auth-token': None})
    for kind in ('', 'text/plain', 'application/json; charset=latin-1', 'APPLICATION/JSON',
                 'application/json;', ' application/json', 'application/json-patch+json',
                 'application/json, text/plain', 'application/x-www-form-urlencoded'):
        for method, path in (('POST', '/resource_providers'), ('POST', '/allocations'),
                             ('PUT', '/traits/CUSTOM_ODD'), ('POST', '/reshaper'),
                             ('GET', '/resource_providers'), ('DELETE', '/traits/CUSTOM_ODD')):
            for body in (b'{}', b'', b'{"name": "\xe9"}'):
                yield Request(method, path, body, headers={'content-type': kind})
    for version in ('placement 1.39', 'Placement 1.5', 'placement 1.40', 'placement 2.0',
                    'placement 0.9', 'placement', 'placement ', '', 'latest',
                    'placement latest', 'placement LATEST', 'placement 1', 'placement 1.',
                    'placement .1', 'placement 1.2.3', 'placement 1.x', 'placement -1.2',
                    'placement 1.-2', 'placement  1.10', 'compute 2.1',
                    'compute 2.1,placement 1.30', 'placement 1.30,placement 1.2',
                    'placement 1.30 1.2', 'placement 1.\xd9\xa3', 'placement 01.039',
                    'placement 1.1_0', 'placement +1.+5', 'nova 1.39', '1.39',
                    'placement 99999999999999999999999.1'):
        for method, path in (('GET', '/'), ('GET', '/resource_providers'),
                             ('GET', '/nowhere'), ('GET', '/traits?name=x')):
            yield Request(method, path, version=None,
                          headers={'openstack-api-version': version})
    for version in ('1.99', 'bad', 'latest'):
        for accept in (None, '*/*', 'text/plain', 'text/html', 'application/xml'):
            for method, path in (('GET', '/'), ('GET', '/nowhere'), ('PATCH', '/usages'),
                                 ('GET', '/resource_providers/x')):
                yield Request(method, path, version=version, headers={'accept': accept})
    for token in ('admin', '', ' ', ':', 'admin:', 'user', 'user:project:x', '\xe9'):
        yield Request('GET', '/resource_providers', headers={'x-auth-token': token})
    for length in ('abc', 'hi ho silver', '1e3', '0x10', '5x', '1,2'):
        for method, path in (('GET', '/'), ('GET', '/resource_providers'), ('GET', '/nowhere'),
                             ('POST', '/resource_providers'), ('PUT', '/traits/CUSTOM_ODD'),
                             ('PATCH', '/usages')):
            for token in ('admin', None):
                yield Request(method, path, headers={'content-length': length,
                                                     'x-auth-token': token})
    for identifier in ('req-' + WHO, WHO, 'x', ''):
        yield Request('GET', '/nowhere', headers={'x-openstack-request-id': identifier})


NAMES = ['VCPU', 'vcpu', 'CUSTOM_', 'CUSTOM_A', 'custom_a', '%C3%89',
         '%E2%82%AC', '%FF', 'CUSTOM_%41', 'CUSTOM_A%20', 'CUSTOM_A+',
         'CUSTOM_' + 'A' * 248, 'CUSTOM_' + 'A' * 249, 'CUSTOM_A-B', 'CUSTOM_A.B', 'x:y',
         '%2e%2e', "'", '<b>', '{name}', '*', '@', '~']
UUIDS = [WHO, WHO.upper(), WHO.replace('-', ''), '{%s}' % WHO, 'urn:uuid:' + WHO, 'x',
         WHO[:-1], WHO + '0', '%7B' + WHO + '%7D', '\u0663' * 32, 'None', '0']


def odd_names():
    for name in NAMES:
        name = name.encode('ascii', 'backslashreplace').decode()
        for path in ('/traits/', '/resource_classes/'):
            for method in ('PUT', 'PUT', 'GET', 'DELETE'):
                yield Request(method, path + name)
        yield Request('PUT', '/resource_classes/' + name, {'name': 'CUSTOM_B'}, '1.6')
        yield Request('GET', '/resource_providers/%s/inventories/%s' % (WHO, name))
    yield Request('POST', '/resource_providers', {'name': 'odd', 'uuid': WHO})
    for who in UUIDS:
        who = who.encode('ascii', 'backslashreplace').decode()
        for method, path, body in (
                ('GET', '/resource_providers/%s', None),
                ('GET', '/resource_providers/%s/inventories', None),
                ('GET', '/resource_providers/%s/usages', None),
                ('GET', '/resource_providers/%s/traits', None),
                ('GET', '/resource_providers/%s/aggregates', None),
                ('GET', '/resource_providers/%s/allocations', None),
                ('PUT', '/resource_providers/%s', {'name': 'odd'}),
                ('GET', '/allocations/%s', None), ('DELETE', '/allocations/%s', None),
                ('PUT', '/allocations/%s', {
                    'allocations': {}, 'project_id': 'p', 'user_id': 'u',
                    'consumer_generation': None, 'consumer_type': 'T'}),
                ('GET', '/resource_providers?uuid=%s', None),
                ('GET', '/resource_providers?in_tree=%s', None),
                ('GET', '/resource_providers?member_of=%s', None),
                ('GET', '/allocation_candidates?resources=VCPU:1&in_tree=%s', None),
                ('GET', '/allocation_candidates?resources=VCPU:1&member_of=in:%s', None)):
            yield Request(method, path % who, body)
        yield Request('POST', '/resource_providers', {'name': 'odd two', 'uuid': who})
        yield Request('PUT', '/resource_providers/' + WHO,
                      {'name': 'odd', 'parent_provider_uuid': who})
        if len(who) <= 36:  # more does not fit into upstream's column
            yield Request('PUT', '/resource_providers/%s/aggregates' % WHO, [who], '1.1')
    for name in ('', ' ', 'a' * 200, 'a' * 201, '\u20ac' * 200, '\u20ac' * 201, '\U0001f600',
                 'a/b', '<script>', '\n', 5, None, True, ['a']):
        yield Request('PUT', '/resource_providers/' + WHO, {'name': name})
        yield Request('GET', '/resource_providers/' + WHO)


def odd_queries():
    for query in ('name=%C3%A9', 'name=%E9', 'name=a+b', 'name', '&&', '=',
                  'name=odd&name=odd', 'NAME=odd', 'name=%6Fdd', 'name=odd;uuid=x',
                  'uuid=', 'name=', 'member_of=', 'in_tree=', 'resources=', 'required=',
                  'resources=VCPU:1&resources=x', 'resources=x&resources=VCPU:1',
                  'resources=VCPU:1,VCPU:2', 'resources=VCPU:%201', 'resources=VCPU:+1',
                  'resources=VCPU:01', 'resources=VCPU:1e3', 'resources=VCPU:0x1',
                  'resources=VCPU%3A1', 'resources=%56CPU:1', 'resources=%20VCPU:1',
                  'resources=VCPU:99999999999999999999', 'resources=VCPU:-1',
                  'resources=VCPU:2147483648', 'resources=VCPU::1', 'resources=:1',
                  'required=HW_NUMA_ROOT&required=x', 'required=!!HW_NUMA_ROOT',
                  'required=%21HW_NUMA_ROOT', 'required=HW_NUMA_ROOT,HW_NUMA_ROOT',
                  'required=HW_NUMA_ROOT,!HW_NUMA_ROOT', 'required=in:HW_NUMA_ROOT',
                  'required=HW_NUMA_ROOT,HW_NUMA_ROOT,!HW_NUMA_ROOT',
                  'required=in:HW_NUMA_ROOT,HW_NUMA_ROOT&required=!HW_NUMA_ROOT',
                  'required=in:', 'required=in:,', 'required=in:!HW_NUMA_ROOT',
                  'required=in:NO_SUCH,HW_NUMA_ROOT', 'required=%20HW_NUMA_ROOT%20',
                  'required=NO_SUCH,NO_OTHER', 'required=!NO_SUCH',
                  'member_of=in:', 'member_of=!', 'member_of=!in:', 'member_of=in:!' + WHO,
                  'member_of=%s,%s' % (WHO, WHO), 'member_of=in:%s,' % WHO,
                  'member_of=!in:%s' % WHO, 'member_of=!!' + WHO, 'in_tree=%20' + WHO):
        yield Request('GET', '/resource_providers?' + query)
        for version in ('1.39', '1.36', '1.35', '1.25', '1.10'):
            yield Request('GET', '/allocation_candidates?resources=VCPU:1&' + query,
                          version=version)
            yield Request('GET', '/allocation_candidates?' + query, version=version)
    for query in ('', 'name=', 'name=in:', 'name=in:,', 'name=startswith:', 'name=x:y',
                  'name=in:HW_NUMA_ROOT', 'name=in:HW_NUMA_ROOT,NO_SUCH', 'name=in',
                  'name=startswith:HW_NUMA', 'name=startswith:hw_numa', 'name=IN:HW_NUMA',
                  'name=in:HW_NUMA_ROOT&name=startswith:HW_NUMA', 'name=in:%20HW_NUMA_ROOT',
                  'name=in:HW_NUMA_ROOT%20,HW_NIC_SRIOV', 'name=in:,,HW_NUMA_ROOT,',
                  'name=startswith:%20HW', 'associated=',
                  'associated=true', 'associated=1', 'associated=yes', 'associated=TRUE',
                  'associated=false&name=in:HW_NUMA_ROOT', 'associated=true&associated=x'):
        yield Request('GET', '/traits?' + query)
    for query in ('', 'project_id=', 'project_id=p&project_id=q', 'user_id=u',
                  'project_id=p&user_id=', 'project_id=' + 'a' * 255,
                  'project_id=' + 'a' * 256, 'project_id=p&x=1', 'project_id=%C3%A9',
                  'project_id=p&consumer_type=', 'project_id=p&consumer_type=x',
                  'project_id=p&consumer_type=ALL', 'project_id=p&consumer_type=allx',
                  'project_id=p&consumer_type=unknown1', 'project_id=p&consumer_type=%FF'):
        for version in ('1.39', '1.37', '1.9', '1.8'):
            yield Request('GET', '/usages?' + query, version=version)


def odd_bodies():
    texts = [b'', b' ', b'null', b'[]', b'{}', b'1', b'"x"', b'{', b'{"name": "a"',
             b'{"name": "a"}}', b'\xff', b'\xef\xbb\xbf{}', b'{"name": "a", "name": "odd"}', b'{"name": NaN}', b'{"a": 1e999}', b'[' * 500,
             b'{"name": "a\nb"}', b'{"name": "\x01"}', b'{"name": "\xc0\x80"}',
             b'{"name": "\xed\xa0\x80"}', b'{"name": "\xf5\x80\x80\x80"}',
             b'{"name": 1.}', b'{"name": .5}', b'{"name": "\\x41"}', b'{"name": "a",}',
             b'/**/{"name": "a"}', b'\x0c{"name": "a"}', b'{"n\\u0061me": "odd"}',
             b'{"name":"a","extra":1}', '{"name": "\u00e9"}'.encode('utf-16')]
    for text in texts:
        for method, path, version in (
                ('POST', '/resource_providers', '1.39'), ('POST', '/resource_classes', '1.39'),
                ('PUT', '/resource_providers/' + WHO, '1.39'),
                ('PUT', '/resource_providers/%s/inventories' % WHO, '1.39'),
                ('POST', '/resource_providers/%s/inventories' % WHO, '1.39'),
                ('PUT', '/resource_providers/%s/inventories/VCPU' % WHO, '1.39'),
                ('PUT', '/resource_providers/%s/traits' % WHO, '1.39'),
                ('PUT', '/resource_providers/%s/aggregates' % WHO, '1.39'),
                ('PUT', '/resource_providers/%s/aggregates' % WHO, '1.18'),
                ('PUT', '/allocations/' + WHO, '1.39'), ('PUT', '/allocations/' + WHO, '1.0'),
                ('POST', '/allocations', '1.39'), ('POST', '/reshaper', '1.39'),
                ('PUT', '/resource_classes/CUSTOM_A', '1.6')):
            yield Request(method, path, text, version)
    yield from several_faults()
    for name, value in (('total', 0), ('total', 2 ** 31), ('total', 1.0), ('total', 1.5),
                        ('total', '1'), ('reserved', -1), ('reserved', 11),
                        ('min_unit', 0), ('max_unit', 0), ('step_size', 0),
                        ('allocation_ratio', 0), ('allocation_ratio', -1),
                        ('allocation_ratio', 1e39), ('allocation_ratio', '1'),
                        ('allocation_ratio', 3.40282e38), ('min_unit', 2 ** 31),
                        ('generation', 1), ('resource_class', 'VGPU'), ('total', True),
                        ('max_unit', 2 ** 31 - 1), ('allocation_ratio', 1.1e-38)):
        url = '/resource_providers/%s/inventories' % WHO
        record = dict({'total': 10}, **{name: value})
        yield Request('POST', url, dict(record, resource_class='MEMORY_MB'))
        yield Request('PUT', url, {'resource_provider_generation': 0,
                                   'inventories': {'DISK_GB': record}})
        yield Request('PUT', url + '/MEMORY_MB', dict(
            record, resource_provider_generation=1))
        yield Request('GET', url)
        yield Request('DELETE', url)


def several_faults():
    """Which one is told?"""
    url = '/resource_providers/%s/inventories' % WHO
    wrong = [{'total': 0, 'reserved': []}, {'reserved': -1, 'total': 0},
             {'total': 'x', 'step_size': {}}, {'total': 1, 'extra': 1, 'min_unit': 0},
             {'allocation_ratio': '1', 'total': 2 ** 31, 'extra': 1}]
    for record in wrong:
        yield Request('PUT', url, {'resource_provider_generation': 0, 'inventories': {
            'DISK_GB': record, 'VCPU': {'total': -1}, 'VGPU': 'text'}})
        yield Request('POST', url, dict(record, resource_class='vcpu',
                                        resource_provider_generation='x'))
        yield Request('PUT', url + '/VCPU', dict(record, resource_provider_generation=0))
    whole = {'allocations': {WHO: {'resources': {'VCPU': 0, 'VGPU': 'x'},
                                   'generation': 'x'}},
             'project_id': '', 'user_id': [], 'consumer_generation': 'x',
             'mappings': [], 'consumer_type': 'a-b'}
    for name in whole:
        for value in (None, 1, 'text', [], {}):
            yield Request('PUT', '/allocations/' + WHO, dict(whole, **{name: value}))
            yield Request('POST', '/allocations', {WHO: dict(whole, **{name: value}),
                                                   'x': 1})
    yield Request('PUT', '/resource_providers/%s/aggregates' % WHO, ['x', WHO, 5], '1.18')
    yield Request('POST', '/resource_providers', {'parent_provider_uuid': 5, 'uuid': 'x'})
    yield Request('POST', '/resource_providers', {
        'parent_provider_uuid': 'x', 'uuid': 'x', 'name': 5})
    for query in ('consumer_type=x&user_id=&project_id=',
                  'project_id=' + 'a' * 256 + '&consumer_type=x'):
        yield Request('GET', '/usages?' + query)
    yield Request('GET', '/allocation_candidates?resources=VCPU:1&group_policy=x&limit=x')
    yield Request('GET', '/resource_providers?in_tree=x&uuid=y')
    yield Request('GET', '/resource_providers?uuid=y&in_tree=x')
