"""What exists in an episode, as far as the generators need to know it.

Names and uuids come from small pools, so that requests meet each other's data. What a
pool's member is now (made or not, its generation) is learned from the reference
server's answers to the episode's own requests.
"""
import json
import uuid

STANDARD_CLASSES = ['VCPU', 'MEMORY_MB', 'DISK_GB', 'VGPU', 'SRIOV_NET_VF', 'PCPU']
STANDARD_TRAITS = ['HW_CPU_X86_AVX2', 'HW_CPU_X86_SSE2', 'COMPUTE_NODE',
                   'STORAGE_DISK_SSD', 'MISC_SHARES_VIA_AGGREGATE', 'HW_NUMA_ROOT']


class World:
    def __init__(self, rng, name):
        self.rng, self.name = rng, name

        tag = name.upper().replace('-', '_')
        self.providers = {u: None for u in self._uuids(14)}  # uuid -> generation, None: not made
        self.parents = {}
        self.names = {}
        self.strangers = self._uuids(3)  # uuids that are never made
        self.aggregates = self._uuids(5)
        self.consumers = {u: None for u in self._uuids(10)}
        self.custom_classes = ['CUSTOM_%s_C%d' % (tag, i) for i in range(4)]
        self.custom_traits = ['CUSTOM_%s_T%d' % (tag, i) for i in range(5)]
        self.projects = ['project-%s-%d' % (name, i) for i in range(3)]
        self.users = ['user-%s-%d' % (name, i) for i in range(3)]
        self.consumer_types = ['INSTANCE', 'MIGRATION', 'VOLUME_%s' % tag]
        self.inventories = {}  # uuid -> {class: inventory}, as last set

    def _uuids(self, count):
        return [str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
                for _ in range(count)]

    @property
    def made(self):
        return [u for u, generation in self.providers.items() if generation is not None]

    @property
    def classes(self):
        return STANDARD_CLASSES + self.custom_classes

    @property
    def traits(self):
        return STANDARD_TRAITS + self.custom_traits

    def a_provider(self):
        """Mostly one that exists."""
        rng, made = self.rng, self.made
        if made and rng.random() < 0.88:
            return rng.choice(made)
        return rng.choice(list(self.providers) + self.strangers)

    def retire_consumers(self, text):
        """Upstream can keep a consumer, without allocations, of a request that it refuses;
        so what is refused once is not asked again. (See known.py.)"""
        for who in [u for u in self.consumers if u in text]:
            del self.consumers[who]
            self.consumers[self._uuids(1)[0]] = None

    def learn(self, request, reply):
        """Takes generations and inventories out of an answer."""
        parts = request.path.split('?')[0].strip('/').split('/')
        data = reply.json()
        if parts[0] == 'resource_providers' and len(parts) >= 2:
            self._learn_provider(request, reply, parts, data)
        elif parts[0] == 'resource_providers' and isinstance(data, dict):
            for item in data.get('resource_providers', ()):
                if item['uuid'] in self.providers:
                    self.providers[item['uuid']] = item['generation']
        elif parts[0] == 'allocations' and len(parts) == 2 and parts[1] in self.consumers:
            if request.method == 'GET' and isinstance(data, dict):
                self.consumers[parts[1]] = data.get('consumer_generation')

    def _learn_provider(self, request, reply, parts, data):
        who = parts[1]
        if who not in self.providers:
            return
        if len(parts) == 2 and (reply.status == 404 or
                                (request.method == 'DELETE' and reply.status == 204)):
            self.providers[who] = None
            self.inventories.pop(who, None)
        if reply.status >= 300:
            return
        if len(parts) > 2 and parts[2] == 'inventories' and request.method != 'GET':
            self._learn_inventory(request, who, parts)
        if not isinstance(data, dict):
            return
        for key in ('generation', 'resource_provider_generation'):
            if isinstance(data.get(key), int):
                self.providers[who] = data[key]
        if isinstance(data.get('inventories'), dict):
            self.inventories[who] = data['inventories']

    def _learn_inventory(self, request, who, parts):
        has = self.inventories.setdefault(who, {})
        if request.method == 'DELETE':
            for name in parts[3:] or list(has):
                has.pop(name, None)
        elif request.method == 'POST':
            body = json.loads(request.body)
            has[body['resource_class']] = body
