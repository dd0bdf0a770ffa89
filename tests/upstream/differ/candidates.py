"""Forests of providers, as right writes one after the other, and requests for allocation
candidates on them."""
from . import values
from .routes import query
from .wire import Request

CLASSES = ['VCPU', 'MEMORY_MB', 'DISK_GB', 'VGPU', 'SRIOV_NET_VF']


class Forest:
    """Makes the writes that build a forest in `world`."""

    def __init__(self, world, sharing):
        self.world, self.rng, self.sharing = world, world.rng, sharing

    def writes(self):
        for name in self.world.custom_traits:
            yield Request('PUT', '/traits/' + name)
        made = []
        for index, who in enumerate(self.world.providers):
            yield from self._provider(index, who, made)
            made.append(who)
        yield from self._allocations()

    def _provider(self, index, who, made):
        rng, world = self.rng, self.world
        body = {'name': '%s-%d' % (world.name, index), 'uuid': who}
        flat = self.sharing == 'flat'
        if made and not flat and rng.random() < 0.7:
            # Shallow and small trees: the reference tries every combination.
            body['parent_provider_uuid'] = rng.choice(made[-4:])
        yield Request('POST', '/resource_providers', body)
        classes = rng.sample(CLASSES, rng.choice([0, 1, 2, 2, 3]))
        generation = 0
        if classes:
            yield Request('PUT', '/resource_providers/%s/inventories' % who, {
                'resource_provider_generation': generation,
                'inventories': {c: self._inventory() for c in classes}})
            generation += 1
        traits = rng.sample(world.custom_traits + ['HW_CPU_X86_AVX2'], rng.randint(0, 3))
        root = 'parent_provider_uuid' not in body
        if self.sharing != 'none' and rng.random() < 0.3 and (root or self.sharing == 'any'):
            traits.append('MISC_SHARES_VIA_AGGREGATE')
        if traits:
            yield Request('PUT', '/resource_providers/%s/traits' % who, {
                'resource_provider_generation': generation, 'traits': traits})
            generation += 1
        aggregates = rng.sample(world.aggregates[:3], rng.choice([0, 0, 1, 1, 2]))
        if aggregates:
            yield Request('PUT', '/resource_providers/%s/aggregates' % who, {
                'resource_provider_generation': generation, 'aggregates': aggregates})

    def _inventory(self):
        rng = self.rng
        total = rng.choice([1, 2, 4, 8])
        made = {'total': total, 'max_unit': rng.choice([1, 2, 4, 8])}
        if rng.random() < 0.2:
            made['reserved'] = rng.randint(0, total)
        if rng.random() < 0.15:
            made['min_unit'] = 2
        if rng.random() < 0.15:
            made['step_size'] = 2
        if rng.random() < 0.3:
            made['allocation_ratio'] = rng.choice([0.5, 1.5, 2.0])
        return made

    def _allocations(self):
        rng, world = self.rng, self.world
        for consumer in list(world.consumers)[:4]:
            holders = sorted(world.inventories)
            if not holders:
                return
            who = rng.choice(holders)
            if not world.inventories[who]:
                continue
            name = rng.choice(sorted(world.inventories[who]))
            yield Request('PUT', '/allocations/' + consumer, {
                'allocations': {who: {'resources': {name: rng.choice([1, 1, 2])}}},
                'project_id': 'p', 'user_id': 'u', 'consumer_generation': None,
                'consumer_type': 'INSTANCE'})


class Candidates:
    """Makes requests for candidates in `world`."""

    def __init__(self, world, routes):
        self.world, self.rng, self.routes = world, world.rng, routes

    def any(self):
        rng = self.rng
        version = '1.39' if rng.random() < 0.5 else values.version(rng, 10)
        number = values.number_of(version)
        items, suffixes, wide = {}, self._suffixes(number), rng.random() < 0.3
        for suffix in suffixes:
            self._group(items, suffix, number, wide)
        granular = [s for s in suffixes if s]
        if len(granular) > 1 or rng.random() < (0.8 if granular else 0.1):
            if number >= 25 and rng.random() < 0.97:
                items['group_policy'] = rng.choice(['none', 'none', 'isolate', 'isolate',
                                                    'isolate', 'x' if rng.random() < 0.1
                                                    else 'none'])
        if rng.random() < (0.15 if number >= 35 else 0.01):
            items['root_required'] = self._root_required()
        if granular and rng.random() < (0.3 if number >= 36 else 0.01):
            items['same_subtree'] = self._same_subtree(granular)
        if rng.random() < 0.02:
            items['limit'] = rng.choice(['0', '-1', 'x', '', '1.5', '99999999999'])
        if rng.random() < 0.02:
            items['required_GHOST'] = 'HW_CPU_X86_AVX2'
        request = Request('GET', '/allocation_candidates' + query(rng, **items),
                          version=version, headers=values.odd_headers(rng))
        return request

    def limited(self, request):
        """The same with a limit."""
        path = request.path + '&limit=%d' % self.rng.choice([1, 2, 3, 10, 1000])
        made = Request(request.method, path, version=None, headers=dict(request.headers))
        return made

    def _suffixes(self, number):
        rng = self.rng
        if number < 25:
            return [''] + (['1'] if rng.random() < 0.03 else [])
        names = ['1', '2', '3'] if number < 33 else ['_A', '_B', '1', '-c']
        count = rng.choice([0, 0, 1, 1, 2, 2, 3])
        suffixes = rng.sample(names, min(count, len(names)))
        if not suffixes or rng.random() < 0.5:
            suffixes.insert(rng.randint(0, len(suffixes)), '')
        return suffixes

    def _group(self, items, suffix, number, wide):
        rng, routes = self.rng, self.routes
        pool = CLASSES[:2] if wide else CLASSES
        resourceless = suffix and number >= 36 and rng.random() < 0.15
        if not resourceless:
            names = rng.sample(pool, rng.choice([1, 1, 2] if suffix else [1, 2, 2, 3]) %
                               (len(pool) + 1) or 1)
            items['resources' + suffix] = ','.join(
                '%s:%d' % (c, rng.choice([1, 1, 1, 2, 2, 3, 4])) for c in names)
            if rng.random() < 0.02:
                items['resources' + suffix] = routes.amounts()
        if rng.random() < (0.5 if resourceless else 0.25):
            items['required' + suffix] = self._required(number)
        if rng.random() < 0.2:
            items['member_of' + suffix] = self._member_of(number)
        if number >= 31 and rng.random() < 0.12:
            items['in_tree' + suffix] = rng.choice(
                [self.world.a_provider()] * 19 + ['x'])

    def _required(self, number):
        rng = self.rng
        if rng.random() < 0.1:
            return self.routes.required(number)
        pool = self.world.custom_traits + ['HW_CPU_X86_AVX2']
        names = rng.sample(pool, rng.choice([1, 1, 2]))
        if number >= 39 and rng.random() < 0.4:
            return ['in:' + ','.join(names)] + ([rng.choice(pool)] if rng.random() < 0.3
                                                else [])
        return ','.join(('!' if number >= 22 and rng.random() < 0.3 else '') + n
                        for n in names)

    def _member_of(self, number):
        rng, pool = self.rng, self.world.aggregates[:4]
        if rng.random() < 0.1:
            return self.routes.member_of(number)
        one = rng.choice([rng.choice(pool), 'in:' + ','.join(rng.sample(pool, 2))])
        return '!' + one if number >= 32 and rng.random() < 0.25 else one

    def _root_required(self):
        rng, pool = self.rng, self.world.custom_traits + ['HW_CPU_X86_AVX2']
        if rng.random() < 0.1:
            return rng.choice([['A', 'B'], 'CUSTOM_UNKNOWN', '', 'X,!X', 'in:A,B'])
        return ','.join(('!' if rng.random() < 0.4 else '') + n
                        for n in rng.sample(pool, rng.choice([1, 1, 2])))

    def _same_subtree(self, granular):
        rng = self.rng
        made = ','.join(rng.sample(granular, rng.randint(1, len(granular))))
        if rng.random() < 0.05:
            made = rng.choice([made + ',', made + ',_UNKNOWN', ''])
        return made
