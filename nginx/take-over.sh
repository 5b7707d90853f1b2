#!/bin/sh
# Gives the running nginx the configuration and the page that another image made: what scripts/redeploy unpacked to
# /tmp/nginx.next, this script included, because the running image may be older than what there is to take over.
# In the nginx container. Streams go on in the old workers.
set -eu

is_as_it_was() {
    cd /tmp/nginx.next
    find . -type f | while read -r file; do
        cmp -s "$file" "/tmp/nginx/$file" || exit 1
    done
}

# A file is replaced in one step, and index.html after the files that it names. The old ones stay: a tab that is open may
# yet ask for them. They go with the container.
take_over_page() {
    mkdir -p /tmp/nginx/page/assets
    mv /tmp/nginx.next/page/assets/* /tmp/nginx/page/assets/
    rmdir /tmp/nginx.next/page/assets
    mv /tmp/nginx.next/page/* /tmp/nginx/page/
}

if is_as_it_was; then exit; fi
nginx -e /dev/stderr -q -t -c /tmp/nginx.next/nginx.conf
take_over_page
mv /tmp/nginx.next/*.conf /tmp/nginx.next/take-over.sh /tmp/nginx/
kill -HUP "$(cat /tmp/nginx/nginx.pid)"
