"""What `make install` puts there, what etc/debian and etc/rpm take into packages, and what they say that the build needs: the same,
without a package being built (make check-deb builds and uses them)."""
import fnmatch
import re
import subprocess
import unittest

from support.process import TOP

DEBIAN, SPEC = TOP / "etc/debian", TOP / "etc/rpm/vgpu-agent.spec"
MACROS = {"_sbindir": "/usr/sbin", "_bindir": "/usr/bin", "_docdir": "/usr/share/doc", "_mandir": "/usr/share/man", "_datadir": "/usr/share",
          "_libexecdir": "/usr/libexec", "_unitdir": "/lib/systemd/system"}
# By name, in the recipes of install and install-mdevsim.
MORE = ["/etc/vgpu-agent/vgpu-agent.conf", "/etc/placementd/placementd.conf", "/etc/default/vgpu-agent", "/usr/bin/mdevsim",
        "/usr/share/man/man1/mdevsim.1", "/usr/share/mdevsim/hosts/nova-guide.json"]


def make_says(what):
    done = subprocess.run(["make", "-s", "-C", str(TOP), f"--eval=said:;@{what}", "said", "LIBVIRT=yes", "prefix=/usr", "unitdir=/lib/systemd/system"],
                          capture_output=True, text=True, check=True)
    return done.stdout


def installed():
    files = list(MORE)
    for line in make_says('echo "$$installed"').splitlines():
        folder, _, *sources = line.split()
        files += [f"{folder}/{source.rpartition('/')[2]}" for source in sources]
    return files


def takes(pattern, file):
    return fnmatch.fnmatchcase(file, pattern) or file.startswith(pattern + "/")


def of_debian():
    """{package: [pattern]}"""
    return {file.stem: [line.removeprefix("debian/tmp") for line in file.read_text().split()] for file in DEBIAN.glob("*.install")}


def of_rpm():
    packages = {}
    for head, body in re.findall(r"(?m)^%files(.*)\n((?:(?!%files).*\n?)*)", SPEC.read_text()):
        lines = [re.sub(r"%\{(\w+)\}", lambda name: MACROS[name[1]], line.split()[-1]) for line in body.splitlines()
                 if line and not line.startswith(("%license", "%dir", "%docdir"))]
        packages[head.split()[-1] if head else "vgpu-agent"] = lines
    return packages


class Packages(unittest.TestCase):
    def check(self, packages):
        files = installed()
        self.assertGreater(len(files), 50)
        for file in files:
            takers = [name for name, patterns in packages.items() if any(takes(pattern, file) for pattern in patterns)]
            self.assertEqual(len(takers), 1, f"{file}: {takers}")
        for name, patterns in packages.items():
            for pattern in patterns:
                self.assertTrue(any(takes(pattern, file) for file in files), f"{name}: there is no {pattern}")

    def test_debian_takes_each_file_once(self):
        self.check(of_debian())

    def test_rpm_takes_each_file_once(self):
        self.check(of_rpm())

    def test_both_say_what_the_build_needs(self):
        needs = [need.split(":") for need in make_says("echo $(NEEDS_build)").split()]
        control = (DEBIAN / "control").read_text()
        said = set(re.findall(r"(?m)^ ([\w.+-]+)", re.search(r"Build-Depends:\n((?: .*\n)+)", control)[1]))
        self.assertEqual(said, {need[2] for need in needs} - {"gcc"} | {"debhelper-compat", "dh-sequence-installsysusers"})
        said = {word for line in re.findall(r"(?m)^BuildRequires: (.*)", SPEC.read_text()) for word in line.split()}
        self.assertEqual(said - {"pkgconfig"}, {need[3] for need in needs} - {"pkgconf-pkg-config"} | {"make", "systemd-rpm-macros"})


if __name__ == "__main__":
    unittest.main()
