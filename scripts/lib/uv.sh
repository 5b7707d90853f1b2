# Installs and runs uv, for the tests and the benchmark. Sourced, not run; needs lib/say.sh and lib/apt.sh.
# shellcheck shell=bash

UV_VERSION=0.13.9
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/localchat

ensure_uv() {
    command -v uv >/dev/null && return
    PATH=$CACHE/uv-$UV_VERSION/bin:$PATH
    [ ! -x "$CACHE/uv-$UV_VERSION/bin/uv" ] || return 0
    python3 -c 'import ensurepip' 2>/dev/null || install_packages "to fetch uv (or install uv yourself)" python3-venv
    say "Fetching uv $UV_VERSION"
    python3 -m venv "$CACHE/uv-$UV_VERSION"
    with_retries "$CACHE/uv-$UV_VERSION/bin/pip" install --quiet --disable-pip-version-check "uv==$UV_VERSION"
}

run_uv() { uv run --frozen --quiet "$@"; }
