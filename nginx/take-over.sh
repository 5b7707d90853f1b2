#!/bin/sh
# Switches the running nginx to another image's configuration and page, which scripts/redeploy unpacked to /tmp/nginx.next
# with this script, because the running image's own may be too old. Run in the nginx container. Streams continue in the old
# workers.
set -eu

# Empty in the container, as in entrypoint.sh.
readonly RUN="${LOCALCHAT_ROOT:-}/tmp/nginx" NEXT="${LOCALCHAT_ROOT:-}/tmp/nginx.next"

is_unchanged() {
    cd "$NEXT"
    find . -type f | while read -r file; do
        cmp -s "$file" "$RUN/$file" || exit 1
    done
}

# A file is replaced atomically, and index.html after the files that it names. Old files stay until the container is
# removed, because an open tab may still request them.
take_over_page() {
    mkdir -p "$RUN/page/assets"
    mv "$NEXT"/page/assets/* "$RUN/page/assets/"
    rmdir "$NEXT/page/assets"
    mv "$NEXT"/page/* "$RUN/page/"
}

if is_unchanged; then exit; fi
nginx -e /dev/stderr -q -t -c "$NEXT/nginx.conf"
take_over_page
mv "$NEXT"/*.conf "$NEXT"/*.js "$NEXT/take-over.sh" "$RUN/"
kill -HUP "$(cat "$RUN/nginx.pid")"
