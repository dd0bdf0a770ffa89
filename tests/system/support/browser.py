"""Headless Chromium by its debugging protocol, over a pair of pipes: no package and no port is needed."""
import base64
import json
import os
import select
import shutil
import subprocess
import time

from .process import die_with_parent, wait_for

PATIENCE = 60.0  # seconds; a browser on a busy machine is slow to start


def browser_missing():
    """Why there is no browser; None: there is one."""
    return None if shutil.which("chromium") else "chromium is not installed"


class Browser:
    """One page. Whatever it asks for and whatever it complains of is kept."""

    def __init__(self, directory):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        self.log = open(directory / "chromium.log", "ab")

        def prepare():
            die_with_parent()
            # As --remote-debugging-pipe has them; by way of high numbers, since either may be 3 or 4 already.
            high = os.dup2(to_browser, 63), os.dup2(from_browser, 64)
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        self.popen = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--no-default-browser-check", f"--user-data-dir={directory}/profile", "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=prepare, close_fds=False,
            env={**os.environ, "HOME": str(directory)})
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number = b"", 0
        self.requests, self.complaints = [], []
        target = self.ask("Target.createTarget", {"url": "about:blank"}, session=None)["targetId"]
        self.session = self.ask("Target.attachToTarget", {"targetId": target, "flatten": True}, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    session = None

    def read_message(self, end):
        while b"\0" not in self.buffer:
            if not select.select([self.read_end], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("chromium does not answer")
            piece = os.read(self.read_end, 1 << 20)
            if not piece:
                raise AssertionError("chromium has ended")
            self.buffer += piece
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def note(self, message):
        method, values = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(values["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(values["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(values["args"]))

    def ask(self, method, values=None, session=""):
        """Calls a method of the protocol; what it gives."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": values or {}}
        if session is not None:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self.read_message(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def show(self, width, height, scheme="light"):
        """The size of the window, and what the user's desktop prefers."""
        self.ask("Emulation.setDeviceMetricsOverride",
                 {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.ask("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def bound_timers(self, most):
        """So many milliseconds, of the pages that are opened from now on."""
        self.ask("Page.addScriptToEvaluateOnNewDocument", {
            "source": f"{{ const real = setTimeout; window.setTimeout = (what, time) => real(what, Math.min(time, {most})); }}"})

    def open(self, url):
        self.ask("Page.navigate", {"url": url})

    def run(self, script):
        """The value of the expression on the page."""
        answer = self.ask("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, script, patience=PATIENCE):
        return wait_for(lambda: self.run(script), f"on the page: {script}", patience)

    def press(self, key, text="", code=0):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", {"type": kind, "key": key, "windowsVirtualKeyCode": code,
                                                **({"text": text} if text and kind == "keyDown" else {})})

    def accessible(self):
        """{(role, name)} of what a screen reader is told of."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"] and "role" in n}

    def screenshot(self, file):
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", {"format": "png"})["data"]))

    def stop(self):
        for end in (self.write_end, self.read_end):
            os.close(end)
        self.popen.terminate()
        self.popen.wait()
        self.log.close()
        return 0
