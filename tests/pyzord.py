"""pyzor's own server, with a dictionary as its database: its usual ones need modules that are not everywhere.

Arguments: address, password file, access file. Prints its port.
"""
import logging
import sys

import pyzor.server

for name in ("pyzord", "pyzord-usage"):
    logging.getLogger(name).addHandler(logging.NullHandler())
server = pyzor.server.Server((sys.argv[1], 0), {}, sys.argv[2], sys.argv[3])
print(server.socket.getsockname()[1], flush=True)
server.serve_forever(poll_interval=0.05)
