"""The README's Python is run as it stands there."""

import os
import re
import subprocess

from helpers import ROOT, TRACKING


def test_the_readme_s_ten_lines_post_a_ticket(stack, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    assert len(blocks) == 1 and len(blocks[0].strip().splitlines()) <= 12
    script = tmp_path / "post.py"
    script.write_text(blocks[0])
    environment = {**os.environ, "DOCKET_BROKERS": stack.env["DOCKET_BROKERS"]}
    done = subprocess.run(["/usr/bin/python3", str(script)], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    tracking = done.stdout.split()[-1]
    assert TRACKING.match(tracking)
    client = stack.client()
    assert client.decided(tracking)
    client.close()
