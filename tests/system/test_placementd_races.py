"""Several clients write at the same moment, all with the same generation, or for the same
name, or for the last unit that there is: exactly one of them gets it.

With $PLACEMENT_URL the same against the server there.
"""
import collections
import threading
import uuid

from support.case import SystemTest

WRITERS, ROUNDS = 6, 5


class RacesTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.placement = self.start_placement()

    def at_once(self, request):
        """{status: how many}, of `request(number)`, a (method, path, body), by each
        writer on a connection of its own."""
        ready, statuses = threading.Barrier(WRITERS), []

        def write(number):
            arguments = request(number)
            ready.wait()
            statuses.append(self.placement.request(*arguments).status)

        threads = [threading.Thread(target=write, args=(number,))
                   for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return collections.Counter(statuses)

    def assert_one(self, request, won, lost):
        """`request` makes one round's request(number)."""
        for _ in range(ROUNDS):
            self.assertEqual(self.at_once(request()), {won: 1, lost: WRITERS - 1})

    def provider(self, **totals):
        who = str(uuid.uuid4())
        self.placement.create_provider(who, who)
        if totals:
            self.placement.set_inventories(who, {name: {"total": total}
                                                 for name, total in totals.items()})
        return who

    def generation(self, who):
        return self.placement.get(f"/resource_providers/{who}")["generation"]

    def consumer_generation(self, who):
        return self.placement.get(f"/allocations/{who}").get("consumer_generation")

    @staticmethod
    def claim(provider, amount, generation=None):
        return {"allocations": {provider: {"resources": {"VGPU": amount}}},
                "project_id": "p", "user_id": "u", "consumer_generation": generation,
                "consumer_type": "INSTANCE"}

    def test_a_provider_of_one_generation(self):
        who = self.provider(VGPU=16, VCPU=4)
        traits = [f"CUSTOM_RACE_{number}" for number in range(WRITERS)]
        for name in traits:
            self.placement.request("PUT", f"/traits/{name}")
        path = f"/resource_providers/{who}"
        stock = {"VGPU": {"total": 16}, "VCPU": {"total": 4}}
        bodies = {
            ("PUT", f"{path}/inventories"):
                lambda number: {"inventories": {**stock, "VCPU": {"total": 5 + number}}},
            ("PUT", f"{path}/inventories/VCPU"): lambda number: {"total": 5 + number},
            ("PUT", f"{path}/traits"): lambda number: {"traits": [traits[number]]},
            ("PUT", f"{path}/aggregates"):
                lambda number: {"aggregates": [str(uuid.UUID(int=number, version=4))]},
        }
        for (method, place), body in bodies.items():
            with self.subTest(f"{method} {place}"):
                def round_of(method=method, place=place, body=body):
                    self.placement.set_traits(who, [])
                    known = {"resource_provider_generation": self.generation(who)}
                    return lambda number: (method, place, {**body(number), **known})
                self.assert_one(round_of, 200, 409)
        before = self.generation(who)
        with self.subTest("POST /reshaper"):
            def reshape():
                last = self.generation(who)
                return lambda number: ("POST", "/reshaper", {"allocations": {}, "inventories": {
                    who: {"resource_provider_generation": last,
                          "inventories": {**stock, "VCPU": {"total": 5 + number}}}}})
            self.assert_one(reshape, 204, 409)
            self.assertEqual(self.generation(who), before + 2 * ROUNDS)

    def test_a_consumer_of_one_generation(self):
        who, consumer = self.provider(VGPU=16), str(uuid.uuid4())

        def put():
            known = self.consumer_generation(consumer)
            return lambda number: ("PUT", f"/allocations/{consumer}",
                                   self.claim(who, 1 + number, known))

        def post():
            known = self.consumer_generation(consumer)
            return lambda number: ("POST", "/allocations", {
                consumer: self.claim(who, 1 + number, known)})

        self.assert_one(put, 204, 409)
        self.assert_one(post, 204, 409)
        self.assertEqual(self.consumer_generation(consumer), 2 * ROUNDS)
        self.placement.deallocate(consumer)

    def test_the_last_unit(self):
        who = self.provider(VGPU=1)

        def claims():
            for consumer in self.placement.get(
                    f"/resource_providers/{who}/allocations")["allocations"]:
                self.placement.deallocate(consumer)
            return lambda number: ("PUT", f"/allocations/{uuid.uuid4()}", self.claim(who, 1))

        self.assert_one(claims, 204, 409)
        usages = self.placement.get(f"/resource_providers/{who}/usages")["usages"]
        self.assertEqual(usages, {"VGPU": 1})

    def test_one_name(self):
        def provider():
            name = str(uuid.uuid4())
            return lambda number: ("POST", "/resource_providers", {"name": name})

        def post_class():
            name = f"CUSTOM_{uuid.uuid4().hex.upper()}"
            return lambda number: ("POST", "/resource_classes", {"name": name})

        def put(path):
            name = f"CUSTOM_{uuid.uuid4().hex.upper()}"
            return lambda number: ("PUT", f"/{path}/{name}", None)

        def inventory():
            who = self.provider()
            return lambda number: ("POST", f"/resource_providers/{who}/inventories", {
                "resource_class": "VGPU", "total": 1 + number})

        self.assert_one(provider, 200, 409)
        self.assert_one(post_class, 201, 409)
        self.assert_one(lambda: put("resource_classes"), 201, 204)
        self.assert_one(lambda: put("traits"), 201, 204)
        self.assert_one(inventory, 201, 409)

    def test_removal(self):
        def remove_provider():
            who = self.provider(VGPU=1)
            return lambda number: ("DELETE", f"/resource_providers/{who}", None)

        who = self.provider(VGPU=1)

        def remove_allocation():
            consumer = str(uuid.uuid4())
            self.placement.allocate(consumer, {who: {"VGPU": 1}})
            return lambda number: ("DELETE", f"/allocations/{consumer}", None)

        self.assert_one(remove_provider, 204, 404)
        self.assert_one(remove_allocation, 204, 404)
