"""Requests to every route but /allocation_candidates: right ones, as clients send them
in their microversion, and ones with something wrong."""
import urllib.parse

from . import values
from .wire import Request


def quoted(text):
    return urllib.parse.quote(text, safe=':,!')


def query(rng, **items):
    """A query string of what is not None; lists repeat."""
    pairs = []
    for name, value in items.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                pairs.append('%s=%s' % (name, quoted(one)))
    if rng.random() < 0.04:
        pairs.append(rng.choice(['unknown=1', 'name', '=', '%zz=1', 'x=%ff', 'Name=a']))
    return '?' + '&'.join(pairs) if pairs else ''


class Routes:
    """Makes requests about `world`; each method makes one of its kind."""

    def __init__(self, world):
        self.world, self.rng = world, world.rng
        self.kinds = [
            (self.root, 1), (self.classes_list, 1), (self.class_one, 5),
            (self.class_create, 3), (self.traits_list, 2), (self.trait_one, 6),
            (self.providers_list, 8), (self.provider_create, 7), (self.provider_one, 7),
            (self.inventories, 7), (self.inventory_create, 4), (self.inventory_one, 7),
            (self.provider_usages, 3), (self.aggregates, 6), (self.provider_traits, 6),
            (self.provider_allocations, 3), (self.allocations_one, 14),
            (self.allocations_post, 5), (self.usages, 4), (self.reshaper, 4),
            (self.elsewhere, 2),
        ]

    def any(self):
        make = self.rng.choices([k for k, _ in self.kinds], [w for _, w in self.kinds])[0]
        return make()

    # ---- what requests are made of ----

    def request(self, method, path, body=None, least=0, version=None, headers=None):
        rng = self.rng
        if rng.random() < 0.02:
            method = rng.choice(['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])
        headers = dict(headers or {}, **values.odd_headers(rng))
        version = version or values.version(rng, least)
        if body is not None and rng.random() < 0.15:
            body = values.spoil(rng, body)
        made = Request(method, path, body, version, headers)
        if body is not None and rng.random() < 0.03:
            made.body = values.spoil_text(rng, made.body)
        return made

    def generation(self, uuid):
        known = self.world.providers.get(uuid)
        return known + self.rng.choice([0] * 12 + [1, -1]) if known is not None else 0

    def inventory(self):
        rng = self.rng
        total = rng.choice([1, 2, 4, 8, 16, 100, 2 ** 31 - 1])
        made = {'total': total}
        if rng.random() < 0.3:
            made['reserved'] = rng.choice([0, 0, 1, total, total + 1])
        if rng.random() < 0.1:
            made['min_unit'] = rng.choice([1, 2, 4])
        if rng.random() < 0.3:
            made['max_unit'] = rng.choice([1, 4, 8, total])
        if rng.random() < 0.1:
            made['step_size'] = rng.choice([1, 2, 3])
        if rng.random() < 0.3:
            made['allocation_ratio'] = rng.choice([1, 1.5, 16.0, 16.0, 0.5, 0, 0.1, 1e10])
        return made

    def some(self, pool, most):
        return self.rng.sample(pool, self.rng.randint(0, min(most, len(pool))))

    def resources(self, who):
        """Mostly of classes that the provider has."""
        rng, has = self.rng, sorted(self.world.inventories.get(who) or {})
        pool = has if has and rng.random() < 0.9 else self.world.classes
        return {c: rng.choice([1, 1, 1, 1, 2, 3, 4, 8])
                for c in self.some(pool, 2) or pool[:1]}

    def a_stocked_provider(self):
        """Mostly one that has something to allocate."""
        stocked = sorted(u for u, has in self.world.inventories.items() if has)
        if stocked and self.rng.random() < 0.9:
            return self.rng.choice(stocked)
        return self.world.a_provider()

    # ---- the small routes ----

    def root(self):
        return self.request('GET', self.rng.choice(['/', '/', '', '/?x=1']))

    def classes_list(self):
        return self.request('GET', '/resource_classes', least=2)

    def class_name(self):
        rng = self.rng
        return rng.choice(self.world.classes + self.world.custom_classes * 2 +
                          ['CUSTOM_', 'custom_x', 'UNKNOWN', 'CUSTOM_' + 'A' * 249])

    def class_one(self):
        name, method = self.class_name(), self.rng.choice(['GET', 'PUT', 'PUT', 'DELETE'])
        version = values.version(self.rng, 2)
        body = None
        if method == 'PUT' and values.number_of(version) < 7:
            body = {'name': self.class_name()}
        return self.request(method, '/resource_classes/' + name, body, version=version)

    def class_create(self):
        return self.request('POST', '/resource_classes', {'name': self.class_name()}, 2)

    def trait_name(self):
        return self.rng.choice(self.world.traits + self.world.custom_traits * 2 +
                               ['CUSTOM_', 'custom_x', 'UNKNOWN', 'CUSTOM_' + 'A' * 249])

    def traits_list(self):
        rng, names = self.rng, self.world.custom_traits
        name = rng.choice([None, 'in:' + ','.join(self.some(names, 3)),
                           'startswith:' + names[0][:-1], 'startswith:', 'in:', 'x',
                           'contains:A'])
        associated = rng.choice([None, None, 'true', 'false', 'True', 'FALSE', 'x'])
        if name is None and associated in (None, 'false', 'FALSE'):
            associated = 'true'  # not all standard traits each time
        return self.request('GET', '/traits' + query(rng, name=name, associated=associated),
                            least=6)

    def trait_one(self):
        method = self.rng.choice(['GET', 'PUT', 'PUT', 'PUT', 'DELETE'])
        return self.request(method, '/traits/' + self.trait_name(), least=6)

    def elsewhere(self):
        rng, who = self.rng, self.world.a_provider()
        other = rng.choice([who.upper(), who.replace('-', '')])
        if rng.random() < 0.1:
            return self.request('GET', '/resource_providers/' + other)
        path = rng.choice([
            '/nowhere', '/resource_providers/', '//', '/traits/', '/resource_classes/',
            '/resource_providers/%s/nothing' % who, '/allocations/', '/usages/x',
            '/Resource_Providers', '/allocation_candidates/x', '/allocations/not-a-uuid',
            '/resource_providers/not-a-uuid', '/%E2%82%AC',
            '/resource_providers/not-a-uuid/inventories'])
        return self.request(rng.choice(['GET', 'PUT', 'POST', 'DELETE']), path)

    # ---- providers ----

    def providers_list(self):
        rng, world = self.rng, self.world
        version = values.version(rng, 14)
        number = values.number_of(version)
        filters = {}
        if rng.random() < 0.15:
            filters['uuid'] = rng.choice([world.a_provider(), 'x'])
        if rng.random() < 0.1:
            filters['name'] = rng.choice(list(world.names.values()) or ['x'])
        if rng.random() < 0.35:
            filters['member_of'] = self.member_of(number)
        if rng.random() < 0.35:
            filters['resources'] = self.amounts()
        if rng.random() < 0.3:
            filters['in_tree'] = rng.choice([world.a_provider()] * 9 + ['x'])
        if rng.random() < 0.35:
            filters['required'] = self.required(number)
        return self.request('GET', '/resource_providers' + query(rng, **filters),
                            version=version)

    def member_of(self, number):
        rng, pool = self.rng, self.world.aggregates
        made = []
        for _ in range(rng.choice([1, 1, 1, 2])):
            one = rng.choice([rng.choice(pool), 'in:' + ','.join(self.some(pool, 3) or pool)])
            if rng.random() < (0.25 if number >= 32 else 0.05):
                one = '!' + one
            if rng.random() < 0.05:
                one = rng.choice(['x', 'in:', '', one + ',x', 'in:' + one])
            made.append(one)
        return made

    def required(self, number):
        rng, pool = self.rng, self.world.traits
        made = []
        for _ in range(rng.choice([1, 1, 2])):
            names = self.some(pool, 2) or [rng.choice(pool)]
            if rng.random() < (0.3 if number >= 39 else 0.05):
                one = 'in:' + ','.join(names)
            else:
                one = ','.join(('!' if rng.random() < (0.25 if number >= 22 else 0.04)
                                else '') + n for n in names)
            if rng.random() < 0.05:
                one = rng.choice(['', ',', '!', 'CUSTOM_UNKNOWN', 'in:', ' ' + one, one + ',',
                                  '!!' + one])
            made.append(one)
        return made

    def amounts(self):
        rng, pool = self.rng, self.world.classes
        made = ','.join('%s:%d' % (c, rng.choice([1, 1, 1, 2, 3, 4, 8, 64]))
                        for c in self.some(pool[:5], 2) or [rng.choice(pool)])
        if rng.random() < 0.06:
            made = rng.choice(['', 'VCPU', 'VCPU:', 'VCPU:0', 'VCPU:-1', 'VCPU:x', 'x:1',
                               'VCPU:1:1', made + ',', 'VCPU:1.5', 'VCPU: 1', 'VCPU:1_0',
                               'VCPU:99999999999'])
        return made

    def provider_create(self):
        rng, world = self.rng, self.world
        who = rng.choice(list(world.providers))
        version = values.version(rng, 14)
        body = {'name': world.names.get(who) or '%s %d é' % (world.name, rng.randrange(99)),
                'uuid': who}
        if values.number_of(version) >= 14 and world.made and rng.random() < 0.7:
            body['parent_provider_uuid'] = rng.choice(
                [rng.choice(world.made)] * 8 + [None, world.strangers[0], who])
        world.names.setdefault(who, body['name'])
        return self.request('POST', '/resource_providers', body, version=version)

    def provider_one(self):
        rng, world = self.rng, self.world
        who = world.a_provider()
        method = rng.choice(['GET'] * 4 + ['PUT'] * 5 + ['DELETE'])
        version = values.version(rng, 14)
        body = None
        if method == 'PUT':
            body = {'name': rng.choice(list(world.names.values()) or ['x'])}
            if rng.random() < 0.6:
                body['name'] = world.names.get(who, 'x')
            if values.number_of(version) >= 14 and rng.random() < 0.6:
                body['parent_provider_uuid'] = rng.choice(
                    [world.a_provider()] * 3 + [None, who])
        return self.request(method, '/resource_providers/' + who, body, version=version)

    def inventories(self):
        rng, who = self.rng, self.world.a_provider()
        method = rng.choice(['GET'] * 2 + ['PUT'] * 7 + ['DELETE'])
        body = None
        if method == 'PUT':
            names = self.some(self.world.classes, 4)
            body = {'resource_provider_generation': self.generation(who),
                    'inventories': {c: self.inventory() for c in names}}
        return self.request(method, '/resource_providers/%s/inventories' % who, body)

    def inventory_create(self):
        who = self.world.a_provider()
        body = dict(self.inventory(), resource_class=self.rng.choice(self.world.classes))
        if self.rng.random() < 0.7:
            body['resource_provider_generation'] = self.generation(who)
        return self.request('POST', '/resource_providers/%s/inventories' % who, body)

    def inventory_one(self):
        rng, who = self.rng, self.world.a_provider()
        method = rng.choice(['GET', 'PUT', 'PUT', 'DELETE'])
        has = sorted(self.world.inventories.get(who) or {})
        name = rng.choice(has if has and rng.random() < 0.85 else self.world.classes + ['x'])
        body = None
        if method == 'PUT':
            body = dict(self.inventory(), resource_provider_generation=self.generation(who))
        return self.request(method, '/resource_providers/%s/inventories/%s' % (who, name),
                            body)

    def provider_usages(self):
        return self.request('GET', '/resource_providers/%s/usages' % self.world.a_provider())

    def provider_allocations(self):
        return self.request('GET', '/resource_providers/%s/allocations' %
                            self.world.a_provider())

    def aggregates(self):
        rng, who = self.rng, self.world.a_provider()
        version, body = values.version(rng, 1), None
        method = rng.choice(['GET', 'PUT', 'PUT'])
        if method == 'PUT':
            names = self.some(self.world.aggregates, 3)
            if values.number_of(version) >= 19:
                body = {'aggregates': names,
                        'resource_provider_generation': self.generation(who)}
            else:
                body = names
        return self.request(method, '/resource_providers/%s/aggregates' % who, body,
                            version=version)

    def provider_traits(self):
        rng, who = self.rng, self.world.a_provider()
        method = rng.choice(['GET', 'PUT', 'PUT', 'PUT', 'DELETE'])
        body = None
        if method == 'PUT':
            body = {'traits': self.some(self.world.traits, 4),
                    'resource_provider_generation': self.generation(who)}
        return self.request(method, '/resource_providers/%s/traits' % who, body, 6)

    # ---- allocations ----

    def allocation_body(self, number, consumer, may_be_empty):
        rng, world = self.rng, self.world
        providers = [self.a_stocked_provider() for _ in range(rng.choice([1, 1, 1, 2]))]
        if may_be_empty and rng.random() < 0.15:
            providers = []
        if number < 12:
            body = {'allocations': [{'resource_provider': {'uuid': p},
                                     'resources': self.resources(p)} for p in providers]}
        else:
            body = {'allocations': {p: {'resources': self.resources(p)} for p in providers}}
        if number >= 8:
            body['project_id'] = rng.choice(world.projects)
            body['user_id'] = rng.choice(world.users)
        if number >= 28:
            known = world.consumers.get(consumer)
            body['consumer_generation'] = rng.choice([known] * 10 + [None, 0, 1])
        if number >= 34 and rng.random() < 0.3:
            body['mappings'] = {rng.choice(['', '1', '_A']): providers or world.strangers}
        if number >= 38:
            body['consumer_type'] = rng.choice(world.consumer_types)
        return body

    def a_consumer(self):
        return self.rng.choice(list(self.world.consumers))

    def allocations_one(self):
        rng, who = self.rng, self.a_consumer()
        method = rng.choice(['GET', 'PUT', 'PUT', 'PUT', 'PUT', 'DELETE'])
        version, body = values.version(rng), None
        if method == 'PUT':
            number = values.number_of(version)
            body = self.allocation_body(number, who, number >= 28)
        return self.request(method, '/allocations/' + who, body, version=version)

    def allocations_post(self):
        rng = self.rng
        version = values.version(rng, 13)
        number = max(values.number_of(version), 13)
        consumers = rng.sample(sorted(self.world.consumers), rng.choice([1, 2, 2, 3]))
        body = {c: self.allocation_body(number, c, True) for c in consumers}
        return self.request('POST', '/allocations', body, version=version)

    def usages(self):
        rng, world = self.rng, self.world
        version = values.version(rng, 9)
        consumer_type = None
        if rng.random() < (0.5 if values.number_of(version) >= 38 else 0.05):
            consumer_type = rng.choice(world.consumer_types + ['all', 'unknown', 'x', 'NONE'])
        return self.request('GET', '/usages' + query(
            rng, project_id=rng.choice(world.projects * 3 + [None, 'x', '']),
            user_id=rng.choice(world.users + [None] * 3), consumer_type=consumer_type),
            version=version)

    def reshaper(self):
        rng, world = self.rng, self.world
        version = values.version(rng, 30)
        number = max(values.number_of(version), 30)
        inventories = {}
        for who in [world.a_provider() for _ in range(rng.choice([1, 2]))]:
            names = sorted(world.inventories.get(who) or {}) + self.some(world.classes, 1)
            inventories[who] = {
                'resource_provider_generation': self.generation(who),
                'inventories': {c: self.inventory() for c in self.some(names, 4)}}
        consumers = self.some(sorted(world.consumers), 2)
        return self.request('POST', '/reshaper', {
            'inventories': inventories,
            'allocations': {c: self.allocation_body(number, c, True) for c in consumers},
        }, version=version)
