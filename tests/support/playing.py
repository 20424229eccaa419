"""Shell lines meant for a device, played on a directory that stands for it."""

import getpass
import grp
import os
import subprocess
from pathlib import Path

from support.openssl import tool


def play(text: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines on `place`, where sudo is nothing, and the users of the services are the one who runs the test."""
    me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    for user in ("aziotcs", "aziotks"):
        text = text.replace(f"-o {user} -g {user}", f"-o {me} -g {group}")
    text = text.replace(" /var/aziot", f" {place}/var/aziot").replace("/etc/aziot", f"{place}/etc/aziot")
    tools = place / "tools"
    tools.mkdir(exist_ok=True)
    for name, body in (("sudo", 'exec "$@"'), ("iotedge", f'echo "$@" >> {place}/applied'), ("sudoedit", "exit 0")):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}  # noqa: TID251 -- the shell's own
    command = (tool("sh"), "-eu")
    return subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=place, env=environment, check=True, timeout=20
    )
