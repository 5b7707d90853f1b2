# Chooses the base images: those that are set, else the pinned ones, else ones built from packages. Sourced, not run.
# shellcheck shell=bash
# Needs lib/say.sh, lib/base-images.sh and a Docker engine; works in the repository root.

MACHINE_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
CA_FILE=.extra-ca.pem

# A variable's default in docker-compose.yml. Usage: default_of NAME
default_of() { sed -n "s/.*\${$1:-\([^}]*\)}.*/\1/p" docker-compose.yml | head -n 1; }

can_pull() {
    docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null 2>&1
}

# Sets and exports EXTRA_CA_FILE to a copy of this machine's certificates, unless it is set already.
choose_ca_file() {
    if [ -n "${EXTRA_CA_FILE:-}" ]; then
        [ -r "$EXTRA_CA_FILE" ] || die "EXTRA_CA_FILE names $EXTRA_CA_FILE, which cannot be read." "Correct it in .env, or leave it unset."
        # Docker's builder may refuse to read a secret from elsewhere, or prompt in the middle of a build.
        case $(realpath "$EXTRA_CA_FILE") in
            "$(realpath .)"/*) ;;
            *) die "EXTRA_CA_FILE names $EXTRA_CA_FILE, which is not in this folder." "Copy it to $CA_FILE in this folder, and set EXTRA_CA_FILE=$CA_FILE in .env." ;;
        esac
    elif [ -r "$MACHINE_CA_BUNDLE" ]; then
        cmp --silent "$MACHINE_CA_BUNDLE" "$CA_FILE" || cp "$MACHINE_CA_BUNDLE" "$CA_FILE"
        export EXTRA_CA_FILE=$CA_FILE
    fi
}

# Sets and exports those of PYTHON_IMAGE, NGINX_IMAGE, NODE_IMAGE, OLLAMA_IMAGE and EXTRA_CA_FILE that are not set.
choose_images() {
    choose_ca_file
    case "${PYTHON_IMAGE:-} ${NGINX_IMAGE:-} ${NODE_IMAGE:-} ${OLLAMA_IMAGE:-}" in
        *localchat-base/*)
            scripts/base-images
            # A .env from before LocalChat had a page lacks NODE_IMAGE.
            export NODE_IMAGE=${NODE_IMAGE:-$NODE_BASE}
            return
            ;;
    esac
    local nginx=${NGINX_IMAGE:-$(default_of NGINX_IMAGE)}
    say "Looking for an image registry ($nginx)"
    if can_pull "$nginx"; then return; fi
    [ -z "${NGINX_IMAGE:-}" ] || die "The image NGINX_IMAGE=$NGINX_IMAGE cannot be pulled." "Correct it in .env, or leave it unset."
    say "No image registry is reachable: building the base images from packages instead (3 to 5 minutes, once)"
    scripts/base-images
    export PYTHON_IMAGE=${PYTHON_IMAGE:-$PYTHON_BASE} NGINX_IMAGE=$NGINX_BASE NODE_IMAGE=${NODE_IMAGE:-$NODE_BASE} \
        OLLAMA_IMAGE=${OLLAMA_IMAGE:-$OLLAMA_BASE}
}
