"""How gunicorn runs the API in its container: gunicorn -c api/gunicorn.conf.py api.main:app"""

import gc
import os
import resource
import socket
from pathlib import Path

from api.logs import LOGGING
from api.settings import load_settings

# On a volume that only nginx shares, not on a network. During a redeploy each of the two APIs has its own socket.
SOCKETS = Path("/run/localchat")
OWN_SOCKET = SOCKETS / f"{socket.gethostname()}.sock"
NGINX_ASKS = SOCKETS / "api.sock"  # A link to one of them.
bind = [f"unix:{OWN_SOCKET}", "127.0.0.1:8000"]  # The second is for the container's health check.
# A socket of this kind refuses at once what does not fit, where TCP would try again.
backlog = 4096
worker_class = "api.http.protocol.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
# Made before the workers are forked, so that they share its memory. It opens nothing before it is first used.
preload_app = True
# Longer than nginx keeps an idle connection (60 s), so that nginx never sends on one that is just being closed.
keepalive = 75
# When the container is stopped, running requests are finished, if it gets the time: scripts/redeploy gives as much.
graceful_timeout = 600
# Restarting workers now and then would cut what they are doing.
max_requests = 0
# The heartbeat is a file that is touched each second: in memory, not on a disk that may stall.
worker_tmp_dir = "/dev/shm"  # noqa: S108
control_socket_disable = True
# Only nginx reaches the socket, and it overwrites X-Forwarded-For.
forwarded_allow_ips = "*"
# nginx logs the requests, with more than is known here.
accesslog = None
logconfig_dict = LOGGING

# Docker 29 starts containers with room for 1,024 open files, and lets them have more.
_, most_open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most_open_files, most_open_files))

# Before any worker: refused settings end the container with one message, and the key is made once.
load_settings()


def when_ready(_server: object) -> None:
    """Before the first fork: objects that exist now are frozen, so that no worker's garbage collection touches them."""
    # A page that is touched is no longer shared.
    gc.collect()
    gc.freeze()
    if not another_api_answers():
        lead_nginx_here()


def another_api_answers() -> bool:
    """In a redeploy. Then scripts/redeploy leads nginx here, once this one is known to be well."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(NGINX_ASKS))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True


def lead_nginx_here() -> None:
    """nginx's new connections; in one step, so that it always finds a socket."""
    link = OWN_SOCKET.with_suffix(".next")
    link.unlink(missing_ok=True)
    os.link(OWN_SOCKET, link)
    link.replace(NGINX_ASKS)
