"""Reads a mailbox with mutt on a terminal of its own: copies the mail under the cursor into a file."""

import os
import pty
import select
import sys
import time


def main(muttrc, url, out):
    keys = f"<copy-message>{out}<enter>"
    command = ["mutt", "-n", "-F", muttrc, "-f", url, "-e", f"push '{keys}'"]
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.environ["HOME"] = os.path.dirname(muttrc)
        os.execvp(command[0], command)
    started, shown = time.time(), b""
    while time.time() < started + 120:
        if os.path.exists(out) and os.path.getsize(out) > 0:
            time.sleep(0.5)
            os.kill(child, 15)
            return
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                break
    sys.exit(f"mutt copied nothing; its screen: {shown[-2000:]!r}")


main(*sys.argv[1:])
