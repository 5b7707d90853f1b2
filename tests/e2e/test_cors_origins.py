"""nginx starts with everything that CORS_ORIGINS may list."""

from tests.support.origins import ORIGINS
from tests.support.stack import Stack

WITH_THESE_ORIGINS = (
    "set -e; rm -rf /tmp/tried; cp -R /tmp/nginx /tmp/tried; "
    "CORS_ORIGINS='{}' sh /etc/nginx/localchat/cors-origins.sh >/tmp/tried/cors-origins.conf; "
    "nginx -e /dev/stderr -t -c /tmp/tried/nginx.conf 2>&1; rm -r /tmp/tried"
)


def test_nginx_starts_with_every_kind_of_origin(stack: Stack) -> None:
    """With all at once, including the longest, which exceeds the default bucket size of a map."""
    tried = stack.run("exec", "--no-TTY", "nginx", "sh", "-c", WITH_THESE_ORIGINS.format(",".join(ORIGINS)))
    assert "test is successful" in tried
