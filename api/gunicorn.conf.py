"""How gunicorn runs the API in its container: gunicorn -c api/gunicorn.conf.py api.main:app"""

import gc
import os

from api.logs import LOGGING
from api.settings import load_settings

bind = "0.0.0.0:8000"
worker_class = "api.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
# Made before the workers are forked, so that they share its memory. It opens nothing before it is first used.
preload_app = True
# Longer than nginx keeps an idle connection (60 s), so that nginx never sends on one that is just being closed.
keepalive = 75
# What is being done is finished when the container is stopped, if it gets the time: scripts/redeploy gives as much.
graceful_timeout = 600
# Restarting workers now and then would cut what they are doing.
max_requests = 0
# The heartbeat is a file that is touched each second: in memory, not on a disk that may stall.
worker_tmp_dir = "/dev/shm"  # noqa: S108
control_socket_disable = True
# Only nginx can reach this port, and it overwrites X-Forwarded-For.
forwarded_allow_ips = "*"
# nginx logs the requests, with more than is known here.
accesslog = None
logconfig_dict = LOGGING

# Before any worker: refused settings end the container with one message, and the key is made once.
load_settings()


def when_ready(_server: object) -> None:
    """Before the first fork: what is there by now stays, and no collection in a worker touches it."""
    # A page that is touched is no longer shared.
    gc.collect()
    gc.freeze()
