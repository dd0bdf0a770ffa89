"""What `make install` puts there, what etc/debian and etc/rpm take into packages, and what they say that the build needs: the same,
without a package being built (make check-deb builds and uses them)."""
import fnmatch
import pathlib
import re
import subprocess
import tempfile
import unittest

from support.process import TOP, outside_make, run

TEXTS = [*TOP.glob("*.rst"), *TOP.glob("doc/*.rst"), *TOP.glob("etc/man/*")]
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
        # dpkg-checkbuilddeps wants it of every build; a bare system has gcc and make without it.
        self.assertLessEqual({"build-essential", "debhelper", "lintian"}, set(make_says("echo $(PACKAGES_deb)").split()))
        said = {word for line in re.findall(r"(?m)^BuildRequires: (.*)", SPEC.read_text()) for word in line.split()}
        self.assertEqual(said - {"pkgconfig"}, {need[3] for need in needs} - {"pkgconf-pkg-config"} | {"make", "systemd-rpm-macros"})

    def test_uninstall_leaves_configuration_alone(self):
        with tempfile.TemporaryDirectory(prefix="vgpu-uninstall-") as folder:
            root = pathlib.Path(folder, "root")
            words = ["make", "-s", "-C", str(TOP), f"BUILD={folder}/build", "LIBVIRT=yes", f"DESTDIR={root}", "uninstall"]
            kept = [file for file in MORE if file.startswith("/etc/")]
            for file in [*installed(), *kept]:
                path = pathlib.Path(f"{root}{file}")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            done = run([*words, "prefix=/opt"], env=outside_make())
            self.assertIn("nothing is installed in", done.stderr)
            done = run([*words, "prefix=/usr", "unitdir=/lib/systemd/system"], env=outside_make())
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            left = {f"/{file.relative_to(root)}" for file in root.rglob("*") if file.is_file()}
            self.assertEqual(left - {file for file in MORE if "mdevsim" in file}, set(kept))
            for ours in ("share/vgpu-agent", "share/doc/vgpu-agent", "libexec/vgpu-agent"):
                self.assertFalse((root / "usr" / ours).exists(), ours)

    def test_uninstall_takes_what_an_earlier_version_installed_elsewhere(self):
        """`make install` over an installation by hand leaves what has moved since."""
        with tempfile.TemporaryDirectory(prefix="vgpu-uninstall-") as folder:
            root = pathlib.Path(folder, "root")
            documents = root / "usr/share/doc/vgpu-agent"
            former = ("libvirt.conf", "whole-cards.conf", "examples/vgpu-agent.rules.yml", "examples/vgpu-agent.grafana.json")
            for file in (*(documents / name for name in (*former, "an-operators-own.txt")), root / "usr/sbin/vgpu-agent"):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            done = run(["make", "-s", "-C", str(TOP), f"BUILD={folder}/build", "LIBVIRT=yes", f"DESTDIR={root}", "prefix=/usr", "uninstall"],
                       env=outside_make())
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual([file.name for file in documents.rglob("*")], ["an-operators-own.txt"])

    def test_what_is_copied_is_not_a_document(self):
        """Where share/doc is left out (path-exclude of dpkg, images of containers), each documented command works the same."""
        files = installed()
        for file in files:
            if "/share/doc/" in file:
                self.assertRegex(file, r"(\.rst|/LICENSE)$", "no document: nothing in share/doc survives everywhere")
        named = [(text.relative_to(TOP), path) for text in TEXTS for path in re.findall(r"\bshare/(?:doc/)?(?:vgpu-agent|mdevsim)[\w/.-]*",
                                                                                       text.read_text().replace("\\-", "-"))]
        self.assertIn((pathlib.Path("README.rst"), "share/vgpu-agent/systemd/libvirt.conf"), named)
        for text, path in named:
            path = f"/usr/{path.rstrip('./')}"
            self.assertNotIn("/share/doc/", path, text)
            self.assertTrue(any(file == path or file.startswith(path + "/") for file in files), f"{text}: nothing installs {path}")


if __name__ == "__main__":
    unittest.main()
