#!/bin/sh
# Writes nginx's configuration with the settings filled in and the page beside it, then becomes nginx. In the nginx container.
# Reads OLLAMA_URL, OLLAMA_TIMEOUT_SECONDS, CORS_ORIGINS, MAX_BODY_MB, MAX_UPLOAD_MB; the defaults are compose's and the API's.
set -eu

refuse() {
    echo "nginx does not start: $1" >&2
    exit 1
}

# What goes into the configuration is checked to be what it says, so that no setting can be a directive.
number() {
    case $2 in '' | *[!0-9]*) refuse "$1=$2 is not a whole number" ;; esac
}
number MAX_BODY_MB "$MAX_BODY_MB"
number MAX_UPLOAD_MB "$MAX_UPLOAD_MB"
number OLLAMA_TIMEOUT_SECONDS "$OLLAMA_TIMEOUT_SECONDS"

scheme=${OLLAMA_URL%%://*}
address=${OLLAMA_URL#*://}
address=${address%/}
case $scheme in
    http) port=80 ;;
    https) port=443 ;;
    *) refuse "OLLAMA_URL=$OLLAMA_URL is not a URL such as http://192.168.1.20:11434" ;;
esac
case $address in
    '' | *[!][A-Za-z0-9._:-]*) refuse "OLLAMA_URL=$OLLAMA_URL is not a URL such as http://192.168.1.20:11434" ;;
    *]) name=$address ;;
    *:*) name=${address%:*} port=${address##*:} ;;
    *) name=$address ;;
esac

# Docker's DNS does not know the names of /etc/hosts (host.docker.internal is one); those do not change while we run.
resolve=resolve
while read -r _ hosts; do
    for host in $hosts; do
        [ "$host" != "$name" ] || resolve=
    done
done </etc/hosts

# shellcheck disable=SC2016  # nginx's variables, not the shell's
cors_origins() {
    set -f # an origin may be `*`
    for origin in $(printf %s "$CORS_ORIGINS" | tr ',' ' '); do
        case $origin in
            '*') ;;
            *[!][A-Za-z0-9.:/-]*) refuse "CORS_ORIGINS lists $origin, which is no scheme://host[:port]" ;;
            *) echo "    \"${origin%/}\" \$http_origin;" ;;
        esac
    done
    set +f
}

# An origin that is not listed gets no header, unless `*` is.
credentials=true
other_origins='""'
# shellcheck disable=SC2016
case ,$(printf %s "$CORS_ORIGINS" | tr -d ' '), in *,'*',*) credentials='""' other_origins='$http_origin' ;; esac

# Fills in the settings, and puts the page there. Usage: render FOLDER
render() {
    mkdir -p "$1"
    for file in /etc/nginx/localchat/*.conf; do
        sed -e "s|@MAX_BODY_MB@|$MAX_BODY_MB|" \
            -e "s|@MAX_UPLOAD_BODY_MB@|$((MAX_UPLOAD_MB + 1))|" \
            -e "s|@CORS_CREDENTIALS@|$credentials|" \
            -e "s|@OLLAMA_TIMEOUT_SECONDS@|$OLLAMA_TIMEOUT_SECONDS|" \
            -e "s|@OLLAMA_SCHEME@|$scheme|" \
            -e "s|@OLLAMA_AUTHORITY@|$address|" \
            -e "s|@OLLAMA_NAME@|$name|" \
            -e "s|@OLLAMA_ADDRESS@ @RESOLVE@|$name:$port $resolve|" \
            "$file" >"$1/${file##*/}"
    done
    {
        echo '# Written by entrypoint.sh from CORS_ORIGINS.'
        # shellcheck disable=SC2016
        echo 'map $http_origin $cors_origin {'
        echo "    default $other_origins;"
        cors_origins
        echo '}'
    } >"$1/cors-origins.conf"
    # With the time of the build, which is in the ETag: a restart changes none.
    cp -R --preserve=timestamps /usr/share/localchat/page /etc/nginx/localchat/take-over.sh "$1"
}

case ${1:-} in
    '')
        render /tmp/nginx
        exec nginx -e /dev/stderr -c /tmp/nginx/nginx.conf -g 'daemon off;'
        ;;
    # For scripts/redeploy.
    render)
        render /tmp/nginx
        tar --create --directory /tmp/nginx .
        ;;
    *) refuse "it does not know the argument $1" ;;
esac
