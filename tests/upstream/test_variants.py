"""Who may do what, and CORS: the routes as everybody, under each policy, and with web
pages of other origins allowed, put to placementd and to OpenStack's Placement (which is
Zed's): the same answers. With PLACEMENT_SOURCE, a folder with the source of a newer
Placement, its policies as well, to placementd's newest ones.
"""
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import uuid

from differ import compare, known
from differ.wire import Request, Server
from openstack import PYTHON, TOP, Placement, Source
from support.case import SystemTest
from support.placement import start_placement
from test_differential import File

PROVIDER, OTHER, CONSUMER = (str(uuid.UUID(int=n, version=4)) for n in (1, 2, 3))
ROOT = f"/resource_providers/{PROVIDER}"
ALLOCATION = {"allocations": {OTHER: {"resources": {"VCPU": 1}}}, "project_id": "p",
              "user_id": "u", "consumer_generation": None, "consumer_type": "INSTANCE"}

# (method, path, body, microversion); what they make they remove, so that the next one's
# turn begins alike.
REQUESTS = [
    ("GET", "/", None, "1.39"),
    ("GET", "/nowhere", None, "1.39"),
    ("POST", "/usages", None, "1.39"),
    ("GET", "/resource_classes", None, "1.39"),
    ("GET", "/resource_classes", None, "1.1"),
    ("POST", "/resource_classes", {"name": "CUSTOM_A"}, "1.39"),
    ("POST", "/resource_classes", {"nome": "CUSTOM_A"}, "1.39"),
    ("PUT", "/resource_classes/CUSTOM_A", {"name": "CUSTOM_B"}, "1.6"),
    ("PUT", "/resource_classes/CUSTOM_A", None, "1.39"),
    ("GET", "/resource_classes/CUSTOM_A", None, "1.39"),
    ("DELETE", "/resource_classes/CUSTOM_A", None, "1.39"),
    ("DELETE", "/resource_classes/CUSTOM_B", None, "1.39"),
    ("POST", "/resource_providers", {"name": "one", "uuid": PROVIDER}, "1.39"),
    ("POST", "/resource_providers", {"name": "there"}, "1.39"),
    ("GET", "/resource_providers", None, "1.39"),
    ("GET", "/resource_providers?unknown=1", None, "1.39"),
    ("GET", ROOT, None, "1.39"),
    ("GET", f"/resource_providers/{OTHER}", None, "1.39"),
    ("PUT", ROOT, {"name": "two"}, "1.39"),
    ("PUT", f"{ROOT}/inventories", {"resource_provider_generation": 0, "inventories": {
        "VCPU": {"total": 8}}}, "1.39"),
    ("POST", f"{ROOT}/inventories", {"resource_class": "VGPU", "total": 2}, "1.39"),
    ("GET", f"{ROOT}/inventories", None, "1.39"),
    ("GET", f"{ROOT}/inventories/VCPU", None, "1.39"),
    ("PUT", f"{ROOT}/inventories/VGPU", {"resource_provider_generation": 2, "total": 3},
     "1.39"),
    ("DELETE", f"{ROOT}/inventories/VGPU", None, "1.39"),
    ("DELETE", f"{ROOT}/inventories", None, "1.4"),
    ("GET", f"{ROOT}/usages", None, "1.39"),
    ("GET", f"{ROOT}/aggregates", None, "1.39"),
    ("PUT", f"{ROOT}/aggregates", [OTHER], "1.1"),
    ("GET", "/traits?name=startswith:CUSTOM", None, "1.39"),
    ("PUT", "/traits/CUSTOM_T", None, "1.39"),
    ("GET", "/traits/CUSTOM_T", None, "1.39"),
    ("GET", f"{ROOT}/traits", None, "1.39"),
    ("PUT", f"{ROOT}/traits", {"resource_provider_generation": 4, "traits": []}, "1.39"),
    ("DELETE", f"{ROOT}/traits", None, "1.39"),
    ("DELETE", "/traits/CUSTOM_T", None, "1.39"),
    ("PUT", f"/allocations/{CONSUMER}", ALLOCATION, "1.39"),
    ("GET", f"/allocations/{CONSUMER}", None, "1.39"),
    ("GET", f"{ROOT}/allocations", None, "1.39"),
    ("GET", "/usages?project_id=p", None, "1.39"),
    ("GET", "/usages?project_id=q", None, "1.39"),
    ("GET", "/usages", None, "1.39"),
    ("GET", "/usages?project_id=p", None, "1.8"),
    ("DELETE", f"/allocations/{CONSUMER}", None, "1.39"),
    ("POST", "/allocations", {CONSUMER: ALLOCATION}, "1.39"),
    ("POST", "/allocations", {}, "1.39"),
    ("DELETE", f"/allocations/{CONSUMER}", None, "1.39"),
    ("GET", "/allocation_candidates?resources=VCPU:1", None, "1.39"),
    ("GET", "/allocation_candidates", None, "1.39"),
    ("POST", "/reshaper", {"inventories": {}, "allocations": {}}, "1.39"),
    ("POST", "/reshaper", {}, "1.39"),
    ("DELETE", f"{ROOT}/inventories", None, "1.39"),
    ("DELETE", ROOT, None, "1.39"),
]

# Of the requests as each of the persons, so that it does not take too long.
SHARE = 0.3
ROLES = [None, "", "admin", "reader", "member,reader", "admin,member,reader", "service",
         "Admin , READER"]
TOKENS = ["admin", "user", "user:p", "user:", ":p", "admin:p"]
SCOPES = [{}, {"openstack-system-scope": "all"}, {"x-project-id": "p"},
          {"x-project-id": "q"}, {"x-domain-id": "d"},
          {"openstack-system-scope": "all", "x-project-id": "p"}]


def everybody():
    """Headers of who asks: each role and scope, and the forms of a token."""
    for roles, scope in itertools.product(ROLES, SCOPES):
        given = {} if roles is None else {"x-roles": roles}
        yield {"x-auth-token": "user", **given, **scope}
    for token in TOKENS:
        yield {"x-auth-token": token}
    yield {"x-auth-token": None}
    yield {"x-auth-token": ""}


OPEN = "\n".join(f'"placement:{name}": "@"' for name in (
    "resource_providers:list", "resource_classes:list", "traits:list", "usages",
    "allocations:list"))

# name: ([oslo_policy], policy.yaml)
POLICIES = {
    "default": ({}, "{}"),
    "new_defaults": ({"enforce_new_defaults": "true"}, ""),
    "scope": ({"enforce_scope": "true"}, "# nothing"),
    "new_defaults_and_scope": (
        {"enforce_new_defaults": "true", "enforce_scope": "true"}, "{}"),
    "open": ({}, OPEN),
    "open_with_scope": ({"enforce_scope": "true"}, OPEN),
    "own_rules": ({}, """
"operator": "role:member and project_id:p"
"placement:resource_providers:create": "rule:operator or role:admin"
"placement:resource_providers:list": "not role:reader"
"placement:usages": "user_id:%(user_id)s or project_id:%(project_id)s"
"placement:traits:update": "rule:nowhere"
"placement:traits:list": "'p':%(project_id)s or is_admin_project:True"
"placement:resource_classes:list": ""
"placement:reshaper:reshape": "!"
"placement:allocations:list": "system_scope:all or (domain_id:d and not role:admin)"
"""),
    "base_rules": ({}, """
"system_reader_api": "role:reader"
"admin_api": "role:member"
"""),
    "deprecated_name": ({}, '"rule:admin_api": "role:member"'),
    "deprecated_name_new_defaults": ({"enforce_new_defaults": "true"}, """
"rule:admin_api": "rule:system_reader_api"
"project_reader_api": "role:reader"
"""),
    "default_rule": ({}, """
"default": "role:reader"
"placement:traits:list": "rule:nowhere"
"""),
    "json": ({}, '{"placement:traits:list": "role:reader"}'),
}

RULES = """
import json
from placement import policies
print(json.dumps({rule.name: [rule.check_str, rule.scope_types, bool(rule.deprecated_rule)]
                  for rule in policies.list_rules()}))
"""


def own_rules():
    """{name: [text, whether what was before may do for it]} of placementd's newest release,
    as its table has them."""
    table = (TOP / "placement/server/policy/defaults.c").read_text()
    newest = re.search(r"since_2023_1 = (.*?)\n  of_zed = ", table, re.S)[1]
    guards = dict(re.findall(r'\[(\w+)\] = "([^"]+)"', newest))
    return {**{name: [text, bool(former)] for name, text, former in
               re.findall(r'\{"(\w+)",\s*"([^"]+)"(,\s*true)?\}', newest)},
            **{name: [guards[guard], False]
               for name, guard in re.findall(r'\{"(placement:[^"]+)",\s*(\w+)\}', table)}}


# Of a release whose rules have other names for what they refer to.
NEW_POLICIES = {
    **{name: policy for name, policy in POLICIES.items() if "_rules" not in name and
       name != "deprecated_name_new_defaults"},
    "own_rules": POLICIES["own_rules"],
    "base_rules": ({}, """
"admin_or_service_api": "role:member"
"project_reader_api": "role:reader"
"admin_api": "role:member"
"""),
    "deprecated_name_new_defaults": ({"enforce_new_defaults": "true"}, """
"rule:admin_api": "role:member"
"project_reader_api": "role:reader"
"""),
}

CORS = {"allowed_origin": "http://one.example.com,https://two.example.com:8443",
        "allow_headers": "openstack-api-version,X-Mine", "allow_methods": "GET,PUT",
        "expose_headers": "X-Shown,Other", "max_age": "60",
        "allow_credentials": "false"}
# name: [cors]
CORS_SETTINGS = {
    "as_in_upstreams_tests": {"allowed_origin": "http://valid.example.com",
                              "allow_headers": "openstack-api-version"},
    "defaults": {"allowed_origin": "http://one.example.com"},
    "all_set": CORS,
    "anywhere": {"allowed_origin": "*", "expose_headers": "X", "max_age": "0"},
}
ORIGINS = [None, "http://valid.example.com", "http://one.example.com",
           "https://two.example.com:8443", "HTTP://ONE.example.com", "http://evil.com"]
ASKED_METHODS = [None, "GET", "PATCH", "get", "DELETE"]
ASKED_HEADERS = [None, "", "openstack-api-version", "OPENSTACK-API-VERSION, x-mine",
                 "content-type", "x-evil", "X-Auth-Token,,accept"]


def section(name, values):
    return [f"[{name}]", *(f"{key} = {value}" for key, value in values.items())]


class Compared(SystemTest):
    release = "zed"
    admins_scope = {"openstack-system-scope": "all"}

    def upstream(self, lines):
        return Placement(self.directory, File(self.directory), processes=1,
                         settings=lines)

    def servers(self, lines, policy="{}"):
        if not shutil.which("uwsgi_python3"):
            self.skipTest("not installed: uwsgi-plugin-python3")
        folder = self.subdirectory("placement-ours")
        file = folder / "rules.yaml"
        file.write_text(policy)
        if "[oslo_policy]" in lines:
            lines = [*lines, f"policy_file = {file}"]
        upstream = self.upstream(lines)
        self.addCleanup(upstream.stop)
        (folder / "placement.conf").write_text("\n".join(
            [*lines, "[placementd]", f"policy_release = {self.release}", "[api]",
             "auth_strategy = noauth2", ""]))
        ours = start_placement(folder, "--config-file", str(folder / "placement.conf"))
        self.addCleanup(self.end, ours)
        self.ours, self.theirs = Server(ours.url), Server(upstream.url)
        self.wrong, self.statuses = [], set()

    def compare(self, request, extra_headers=()):
        ours, theirs = self.ours.send(request), self.theirs.send(request)
        found = compare.differences(request, ours, theirs)
        for name in extra_headers:
            one, other = ours.headers.get(name), theirs.headers.get(name)
            if one != other:
                found.append(f"header {name}: {one!r}, upstream {other!r}")
        left, _ = known.sort_out(request, ours, theirs, found)
        self.statuses.add(theirs.status)
        if left:
            self.wrong.append(f"{request.as_curl('')}\n{left}\n{ours}\n--\n{theirs}")

    def end_comparison(self, *statuses):
        if self.wrong:
            self.fail(f"{len(self.wrong)} differ:\n" + "\n\n".join(self.wrong[:5]))
        self.assertLessEqual(set(statuses), self.statuses)

    def policy(self, options, policy):
        self.servers(section("oslo_policy", options), policy)
        # What is there from the beginning shows more than 404.
        admin = {"x-roles": "admin,member,reader", **self.admins_scope}
        self.compare(Request("POST", "/resource_providers",
                             {"name": "there", "uuid": OTHER}, headers=admin))
        self.compare(Request("PUT", f"/resource_providers/{OTHER}/inventories", {
            "resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}}},
            headers=admin))
        self.assertEqual(self.statuses, {200}, "they are there")
        rng = random.Random(repr(options) + policy)
        for who in everybody():
            for method, path, body, version in REQUESTS:
                if rng.random() < SHARE:
                    self.compare(Request(method, path, body, version, headers=who))
        self.end_comparison(200, 401, 403)

    def cors(self, options):
        headers = ["access-control-" + name for name in (
            "allow-origin", "allow-credentials", "expose-headers", "max-age",
            "allow-methods", "allow-headers")]
        self.servers(section("cors", options))
        for origin, asked, names in itertools.product(ORIGINS, ASKED_METHODS,
                                                      ASKED_HEADERS):
            sent = {"origin": origin, "access-control-request-method": asked,
                    "access-control-request-headers": names}
            self.compare(Request("OPTIONS", "/resource_providers", headers=sent),
                         headers)
        for origin in ORIGINS:
            for method, path, token in (
                    ("GET", "/", None), ("GET", "/resource_providers", None),
                    ("GET", "/resource_providers", "admin"),
                    ("GET", "/resource_providers", "user"), ("GET", "/nowhere", "admin"),
                    ("PATCH", "/resource_providers", "admin"),
                    ("PUT", "/traits/CUSTOM_A", "admin"), ("OPTIONS", "/", "admin"),
                    ("OPTIONS", "/nowhere", None)):
                self.compare(Request(method, path, headers={
                    "origin": origin, "x-auth-token": token}), headers)
        self.end_comparison(200, 401, 404)


class Variants(Compared):
    pass


class NewestPolicies(Compared):
    release = "2024.2"
    admins_scope = {"x-project-id": "p"}

    def setUp(self):
        super().setUp()
        self.source = os.environ.get("PLACEMENT_SOURCE")
        if not self.source:
            self.skipTest("PLACEMENT_SOURCE names no folder with a newer Placement's source")

    def upstream(self, lines):
        return Source(self.directory, File(self.directory), self.source, lines)

    def test_each_rule_has_upstreams_default(self):
        """Name, text, scopes, and whether what was before may do for it."""
        said = subprocess.run([PYTHON, "-W", "ignore", "-c", RULES], capture_output=True, text=True,
                              check=True, env={**os.environ, "PYTHONPATH": self.source})
        theirs = json.loads(said.stdout)
        self.assertGreater(len(theirs), 30)
        self.assertEqual(own_rules(), {name: [text, has_former]
                                       for name, (text, _, has_former) in theirs.items()})
        for name, (_, scopes, _) in theirs.items():
            if name.startswith("placement:"):
                self.assertEqual(scopes, ["project"], name)

    def policy(self, options, policy):
        """oslo.policy's own defaults of the two depend on its release, which is not
        upstream's here."""
        super().policy({"enforce_scope": "false", "enforce_new_defaults": "false",
                        **options}, policy)


def add_tests():
    for name, options in NEW_POLICIES.items():
        def newest(self, options=options):
            self.policy(*options)
        setattr(NewestPolicies, f"test_policy_{name}", newest)
    for name, options in POLICIES.items():
        def policy(self, options=options):
            self.policy(*options)
        setattr(Variants, f"test_policy_{name}", policy)
    for name, options in CORS_SETTINGS.items():
        def cors(self, options=options):
            self.cors(options)
        setattr(Variants, f"test_cors_{name}", cors)


add_tests()
