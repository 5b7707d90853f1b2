# Chooses the base images: those that are set, else the pinned ones, else ones made from packages. Sourced, not run.
# shellcheck shell=bash
# Needs lib/say.sh, lib/base-images.sh and a Docker engine; works in the repository's root.

MACHINE_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt

# The value a variable has in docker-compose.yml when it is set nowhere. Usage: default_of NAME
default_of() {
    docker compose --env-file /dev/null config --variables | awk -v name="$1" '$1 == name { print $3 }'
}

can_pull() {
    docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null 2>&1
}

# Sets and exports PYTHON_IMAGE, NGINX_IMAGE, OLLAMA_IMAGE and EXTRA_CA_FILE, but for those that are set already.
choose_images() {
    if [ -z "${EXTRA_CA_FILE:-}" ] && [ -r "$MACHINE_CA_BUNDLE" ]; then
        export EXTRA_CA_FILE=$MACHINE_CA_BUNDLE
    fi
    case "${PYTHON_IMAGE:-} ${NGINX_IMAGE:-} ${OLLAMA_IMAGE:-}" in
        *localchat-base/*) scripts/base-images && return ;;
    esac
    local nginx=${NGINX_IMAGE:-$(default_of NGINX_IMAGE)}
    say "Looking for an image registry ($nginx)"
    if can_pull "$nginx"; then return; fi
    [ -z "${NGINX_IMAGE:-}" ] || die "The image NGINX_IMAGE=$NGINX_IMAGE cannot be pulled." "Correct it in .env, or leave it unset."
    say "No image registry in reach: the base images are made from packages instead (3 to 5 minutes, once)"
    scripts/base-images
    export PYTHON_IMAGE=${PYTHON_IMAGE:-$PYTHON_BASE} NGINX_IMAGE=$NGINX_BASE OLLAMA_IMAGE=${OLLAMA_IMAGE:-$OLLAMA_BASE}
}
