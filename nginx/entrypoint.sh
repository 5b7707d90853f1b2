#!/bin/sh
# The nginx container's entrypoint: fills the settings into nginx's configuration, copies the page next to it, starts nginx.
# Reads OLLAMA_URL, OLLAMA_TIMEOUT_SECONDS, ALLOWED_HOSTS, CORS_ORIGINS, MAX_BODY_MB and MAX_UPLOAD_MB, all set by Compose.
set -eu
export LC_ALL=C # so that a-z means only the 26 ASCII letters

# Empty in the container. Tests set it to a folder that stands in for `/`.
readonly ROOT="${LOCALCHAT_ROOT:-}"
readonly SOURCES="$ROOT/etc/nginx/localchat" PAGE="$ROOT/usr/share/localchat/page" RUN="$ROOT/tmp/nginx"

refuse() {
    echo "nginx does not start: $1" >&2
    exit 1
}

# Every value is validated before it goes into the configuration, so that no setting can inject a directive.
number() {
    # No leading zero: shell arithmetic would read it as octal.
    case $2 in '' | *[!0-9]* | 0*) refuse "$1=$2 is not a whole number above 0" ;; esac
}
number MAX_BODY_MB "$MAX_BODY_MB"
number MAX_UPLOAD_MB "$MAX_UPLOAD_MB"
number OLLAMA_TIMEOUT_SECONDS "$OLLAMA_TIMEOUT_SECONDS"

# The memory that strangers can use is bounded: a connection takes at most 100 kB (two header buffers of 40 kB, a body of
# 16 kB). Larger bodies, of authenticated callers, are in /tmp, a tmpfs. Together they stay below the container's limit.
readonly CONNECTION_KB=100 NGINX_ITSELF_KB=65536
memory_limit_kb() {
    for file in "$ROOT"/sys/fs/cgroup/memory.max "$ROOT"/sys/fs/cgroup/memory/memory.limit_in_bytes; do
        limit=$(cat "$file" 2>/dev/null) || continue
        case $limit in
            '' | *[!0-9]*) ;;
            # Cgroup v1 reports an impossibly large number when there is no limit.
            *) [ "${#limit}" -gt 15 ] || { echo $((limit / 1024)); return; } ;;
        esac
    done
    awk '/^MemTotal:/ { print $2 }' "$ROOT/proc/meminfo"
}
smaller() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

bodies_kb=$(df -Pk "$ROOT/tmp" | awk 'END { print $2 }')
[ $((MAX_BODY_MB * 4 * 1024)) -le "$bodies_kb" ] ||
    refuse "MAX_BODY_MB=$MAX_BODY_MB is too large: four bodies have to fit in /tmp, which has $((bodies_kb / 1024)) MB"
workers=$(smaller "$(nproc)" 4)
connections=$(smaller 4096 $((($(memory_limit_kb) - bodies_kb - NGINX_ITSELF_KB) / CONNECTION_KB / workers)))
[ "$connections" -ge 256 ] || refuse "its memory limit leaves no room beside /tmp, which may take $((bodies_kb / 1024)) MB"
# Each connection takes a file descriptor, and so does each body too large for memory.
open_files=$(awk '/^Max open files/ { print $5 == "unlimited" ? 65536 : $5 }' /proc/self/limits) # the hard limit
open_files=$(smaller "$open_files" 65536)
connections=$(smaller "$connections" $((open_files - 64)))

# The same grammar as in the API's settings.py: scheme, name or address (IPv6 in brackets), port. -z: the whole value has to
# match, not just one line of it.
printf %s "$OLLAMA_URL" | grep -Ezqx 'https?://([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?' ||
    refuse "OLLAMA_URL=$OLLAMA_URL is not a URL such as http://192.168.1.20:11434"
scheme=${OLLAMA_URL%%://*}
address=${OLLAMA_URL#*://}
address=${address%/}
port=80
[ "$scheme" = http ] || port=443
case $address in
    *]) name=$address ;;
    *:*) name=${address%:*} port=${address##*:} ;;
    *) name=$address ;;
esac
{ [ "$port" -ge 1 ] && [ "$port" -le 65535 ]; } || refuse "OLLAMA_URL=$OLLAMA_URL names a port that is not from 1 to 65535"

# Docker's DNS does not know the names in /etc/hosts (such as host.docker.internal); those do not change at run time.
resolve=resolve
while read -r _ hosts; do
    for host in $hosts; do
        [ "$host" != "$name" ] || resolve=
    done
done <"$ROOT/etc/hosts"

# IPv4, the only family that nginx resolves, one per line.
addresses_of() { getent ahostsv4 "$1" | sed -n 's/ *STREAM.*//p'; }

# The server that nginx falls back to when DNS no longer finds the name. Usage: last_known NAME PORT
last_known() {
    echo "# $1 $2"
    for found in $(addresses_of "$1" | head -n 1); do echo "server $found:$2 max_fails=0 backup;"; done
}

# A recreated Ollama has a new address. nginx is reloaded when DNS no longer returns the address it knows. The name is read
# from the file, because a redeploy may have changed it.
follow_ollama() {
    file=$RUN/ollama-last-known.conf
    while sleep 5; do
        read -r _ name port <"$file" || continue
        # Only container names: a public name may resolve to a different address each time.
        case $name in *.*) continue ;; esac
        for found in $(addresses_of "$name"); do
            ! grep -q "^server $found:" "$file" || continue 2
        done
        now=$(last_known "$name" "$port")
        case $now in *server*) ;; *) continue ;; esac
        echo "$now" >"$file.new" && mv "$file.new" "$file"
        kill -HUP "$(cat "$RUN/nginx.pid")"
    done
}

# As in the API's settings.py: a comma-separated list; spaces around a name, ports, a trailing dot and case do not matter.
# A test compares the two.
allowed_hosts() {
    printf '%s,' "$ALLOWED_HOSTS" | tr '\n,' ' \n' | while read -r host; do
        # IPv6 addresses are always allowed.
        case $host in '' | \[*) continue ;; esac
        allowed=$(printf %s "$host" | sed 's/:[0-9]*$//; s/\.$//')
        printf %s "$allowed" | grep -Eqx '[A-Za-z0-9_-]+|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+' ||
            refuse "ALLOWED_HOSTS lists $host, which is no name such as chat.example.org or *.example.org"
        echo "server_name $allowed;"
    done
}

# Writes the configuration and the page to FOLDER. Usage: render FOLDER
render() {
    mkdir -p "$1"
    for file in "$SOURCES"/*.conf; do
        sed -e "s|@MAX_BODY_MB@|$MAX_BODY_MB|" \
            -e "s|@WORKERS@|$workers|" \
            -e "s|@CONNECTIONS@|$connections|" \
            -e "s|@OPEN_FILES@|$open_files|" \
            -e "s|@MAX_UPLOAD_BODY_MB@|$((MAX_UPLOAD_MB + 1))|" \
            -e "s|@OLLAMA_TIMEOUT_SECONDS@|$OLLAMA_TIMEOUT_SECONDS|" \
            -e "s|@OLLAMA_SCHEME@|$scheme|" \
            -e "s|@OLLAMA_AUTHORITY@|$address|" \
            -e "s|@OLLAMA_NAME@|$name|" \
            -e "s|@OLLAMA_ADDRESS@ @RESOLVE@|$name:$port $resolve|" \
            "$file" >"$1/${file##*/}"
    done
    sh "$SOURCES/cors-origins.sh" >"$1/cors-origins.conf" || refuse "CORS_ORIGINS is not a list of origins"
    {
        echo '# Written by entrypoint.sh from ALLOWED_HOSTS.'
        allowed_hosts
    } >"$1/allowed-hosts.conf"
    if [ "$resolve" ]; then last_known "$name" "$port"; fi >"$1/ollama-last-known.conf"
    # Keeps the build's timestamps: ETags contain them, and so survive a restart.
    cp -R --preserve=timestamps "$PAGE" "$SOURCES"/*.js "$SOURCES/take-over.sh" "$1"
}

# Removes query strings from nginx's error log, whose format is fixed: some clients put credentials in the URL.
hide_queries() {
    rm -f "$RUN/errors"
    mkfifo "$RUN/errors"
    sed --unbuffered 's/?[^ ]*/?.../g' <"$RUN/errors" >&2 &
    exec 2>"$RUN/errors"
}

case ${1:-} in
    '')
        render "$RUN"
        # Checked before stderr is redirected: the container would exit before the filter has printed the reason.
        nginx -e /dev/stderr -q -t -c "$RUN/nginx.conf"
        follow_ollama 2>/dev/null &
        hide_queries
        exec nginx -e /dev/stderr -c "$RUN/nginx.conf" -g 'daemon off;'
        ;;
    render) # for scripts/redeploy
        render "$RUN"
        tar --create --directory "$RUN" .
        ;;
    *) refuse "unknown argument $1" ;;
esac
