"""What `xml` and `qemu-args` print is what libvirt and QEMU take: one document, by libvirt's own schema where it is
installed."""
import os
import shutil
import xml.etree.ElementTree as ElementTree

from support.fleet import FleetTest
from support.process import run

A = "0000:84:00.0"
DOMAIN = """<domain type='kvm'><name>guest</name><memory>1024</memory><os><type>hvm</type></os>{}</domain>"""


class GuestConfig(FleetTest):
    def setUp(self):
        super().setUp()
        self.build_guide()
        self.agent.run("sync")

    def has(self, units):
        server = self.allocate(A, units)
        self.agent.run("sync")
        return server

    def check_schema(self, document):
        """Below <devices>, where `virsh attach-device` puts an element."""
        if not shutil.which("virt-xml-validate"):
            self.skipTest("virt-xml-validate (libvirt-clients) is not installed")
        devices = document if document.startswith("<devices>") else f"<devices>{document}</devices>"
        file = self.directory / "guest.xml"
        file.write_text(DOMAIN.format(devices))
        done = run(["virt-xml-validate", str(file), "domain"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_one_device_is_an_element(self):
        text = self.agent.run("xml", self.has(1))
        element = ElementTree.fromstring(text)
        self.assertEqual((element.tag, element.get("managed"), element.get("display"), element.get("ramfb")),
                         ("hostdev", "no", "off", None))
        self.check_schema(text)

    def test_several_devices_are_one_document(self):
        text = self.agent.run("xml", self.has(3))
        document = ElementTree.fromstring(text)
        self.assertEqual((document.tag, [e.tag for e in document]), ("devices", ["hostdev"] * 3))
        self.check_schema(text)

    def test_a_display(self):
        server = self.has(1)
        for words, display, ramfb in ((["--display", "on"], "on", None), (["--display", "off"], "off", None),
                                      (["--ramfb", "off"], "off", None),
                                      (["--display", "on", "--ramfb", "on"], "on", "on")):
            text = self.agent.run("xml", *words, server)
            element = ElementTree.fromstring(text)
            self.assertEqual((element.get("display"), element.get("ramfb")), (display, ramfb), words)
            self.check_schema(text)

    def test_a_display_that_cannot_be(self):
        server = self.has(1)
        for words, said in ((["--display", "yes"], "--display 'yes': expected on or off"),
                            (["--ramfb", "on"], "expected --display on as well"),
                            (["--ramfb", "on", "--display", "off"], "expected --display on as well")):
            done = self.agent.try_to("xml", *words, server)
            self.assertEqual((done.returncode, done.stdout), (os.EX_USAGE, ""), words)
            self.assertIn(said, done.stderr)


class VirtualFunction(GuestConfig):
    def setUp(self):
        FleetTest.setUp(self)
        self.build("vendor-vfio", {"devices": {"enabled_mdev_types": "NVIDIA L40S-8Q"}})
        self.agent.run("sync")

    def allocate(self, address, units=1, consumer=None):
        return super().allocate("0000:41:00.0", units, consumer)

    def test_one_device_is_an_element(self):
        text = self.agent.run("xml", self.has(1))
        element = ElementTree.fromstring(text)
        self.assertEqual(element.attrib, {"mode": "subsystem", "type": "pci", "managed": "no"})
        self.check_schema(text)

    def test_a_display(self):
        done = self.agent.try_to("xml", "--display", "on", self.has(1))
        self.assertEqual((done.returncode, done.stdout), (os.EX_PROTOCOL, ""))
        self.assertIn("for mediated devices of PCI alone", done.stderr)
