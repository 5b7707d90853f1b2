# Finds an nginx that can run our configuration without Docker, for the unit tests. Sourced, not run; needs lib/say.sh and
# lib/apt.sh.
# shellcheck shell=bash

NGINX_SUITE=forky # Debian's, the same as in scripts/base-images
NGINX_OLDEST=1.27.4 # the first with keepalive_min_timeout
NGINX_FOLDER=${XDG_CACHE_HOME:-$HOME/.cache}/localchat/nginx-$NGINX_SUITE

# The path of an nginx's JavaScript module. Usage: module_of NGINX
module_of() { echo "$(dirname "$(dirname "$1")")/lib/nginx/modules/ngx_http_js_module.so"; }

can_read_ours() {
    [ -x "$1" ] && [ -r "$(module_of "$1")" ] || return 1
    printf 'nginx version: nginx/%s\n%s\n' "$NGINX_OLDEST" "$("$1" -v 2>&1)" | sort --version-sort --check=quiet
}

# Usage: fetch_nginx FOLDER CHECK-VALID-UNTIL [MIRROR]
fetch_nginx() {
    rm -rf "$1"
    mmdebstrap --quiet --variant=extract --mode=chrootless --include=nginx,libnginx-mod-http-js \
        --aptopt="Acquire::Check-Valid-Until \"$2\"" "$NGINX_SUITE" "$1" "${@:3}"
}

# Unpacks Debian's packages with the libraries that they need, since this system's may be too old. Installs nothing.
# Usage: unpack_nginx FOLDER
unpack_nginx() {
    local valid_until mirror=()
    command -v mmdebstrap >/dev/null ||
        install_packages "to check nginx's configuration (or name an nginx in NGINX)" mmdebstrap debian-archive-keyring
    # Mirror and dates as in scripts/base-images, which gives the reasons.
    if (. /etc/os-release && [ "$ID" = debian ]); then mirror=("$(apt_mirror)"); fi
    valid_until=$(apt-config dump --format '%v' Acquire::Check-Valid-Until)
    with_retries fetch_nginx "$1" "${valid_until:-true}" "${mirror[@]}"
    mv "$1/usr/sbin/nginx" "$1/usr/sbin/nginx.bin"
    cat >"$1/usr/sbin/nginx" <<'WRAPPER'
#!/bin/sh
usr=$(dirname "$(dirname "$(realpath "$0")")")
exec "$usr"/lib*/ld-linux-*.so.* --library-path "$(echo "$usr"/lib/*-linux-gnu*)" "$usr/sbin/nginx.bin" "$@"
WRAPPER
    chmod +x "$1/usr/sbin/nginx"
}

# Sets NGINX unless it is set: to this system's if that is new enough, else to one from Debian's packages.
ensure_nginx() {
    local fetched=$NGINX_FOLDER/usr/sbin/nginx draft
    if [ -n "${NGINX:-}" ]; then
        can_read_ours "$NGINX" || die "NGINX=$NGINX is older than $NGINX_OLDEST, or its JavaScript module (njs) is missing." \
            "Set NGINX to another one, or leave it unset."
        return
    fi
    for NGINX in "$(command -v nginx)" "$fetched"; do
        if can_read_ours "$NGINX"; then return; fi
    done
    say "Fetching nginx from Debian's packages; about 20 seconds, once"
    mkdir -p "$(dirname "$NGINX_FOLDER")"
    draft=$(mktemp -d "$NGINX_FOLDER.XXXXXX")
    unpack_nginx "$draft"
    rm -rf "$NGINX_FOLDER"
    mv "$draft" "$NGINX_FOLDER"
    can_read_ours "$NGINX" || die "The nginx of Debian's $NGINX_SUITE does not run on this system." "Set NGINX to another one."
}
