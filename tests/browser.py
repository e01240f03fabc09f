"""A headless Chromium with scripts switched off and the width of a telephone, driven by W3C WebDriver through Debian's chromedriver."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from helpers import SLOW, free_port, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
WIDTH, HEIGHT = 390, 780


def available():
    return shutil.which("chromedriver") and shutil.which("chromium")


class Browser:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="docket-browser-")
        self.url = f"http://127.0.0.1:{free_port()}"
        environment = {**os.environ, "HOME": self.home, "XDG_RUNTIME_DIR": self.home}
        self.driver = subprocess.Popen(["chromedriver", "--port=" + self.url.rpartition(":")[2]], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        self.session = ""
        try:
            wait_until(self._is_ready, 30)
            options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                                f"--user-data-dir={self.home}/profile", "--disable-background-networking", "--no-proxy-server"],
                       "mobileEmulation": {"deviceMetrics": {"width": WIDTH, "height": HEIGHT, "pixelRatio": 2.0, "touch": True}},
                       "prefs": {"profile.managed_default_content_settings.javascript": 2}}
            made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}})
            self.session = "/session/" + made["sessionId"]
        except BaseException:
            self.close()
            raise

    def _call(self, method, path, body=None):
        request = urllib.request.Request(self.url + self.session + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20 * SLOW) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def _is_ready(self):
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def source(self):
        return self._call("GET", "/source")

    def all(self, selector):
        return [found[ELEMENT] for found in self._call("POST", "/elements", {"using": "css selector", "value": selector})]

    def text(self, selector="body"):
        return self._call("GET", f"/element/{self.all(selector)[0]}/text")

    def rect(self, element):
        return self._call("GET", f"/element/{element}/rect")

    def css(self, selector, name):
        return self._call("GET", f"/element/{self.all(selector)[0]}/css/{name}")

    def type(self, selector, text):
        self._call("POST", f"/element/{self.all(selector)[0]}/value", {"text": text})

    def press(self, selector):
        """A finger on the middle of it. (The click of WebDriver waits for a script, and there are none.)"""
        element = {ELEMENT: self.all(selector)[0]}
        finger = {"type": "pointer", "id": "finger", "parameters": {"pointerType": "touch"}, "actions": [
            {"type": "pointerMove", "duration": 0, "origin": element, "x": 0, "y": 0}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]}
        self._call("POST", "/actions", {"actions": [finger]})

    def close(self):
        if self.session:
            with contextlib.suppress(AssertionError, OSError):
                self._call("DELETE", "")
        self.driver.terminate()
        self.driver.wait()
        shutil.rmtree(self.home, ignore_errors=True)
