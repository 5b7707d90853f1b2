# apt-get for Debian and Ubuntu, quiet, as root and tried again. Sourced, not run; needs lib/say.sh.
# shellcheck shell=bash

apt() { with_retries as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null; }

# Usage: install_packages WHAT-FOR PACKAGE...   On a machine without apt it dies, naming WHAT-FOR.
install_packages() {
    local what_for=$1
    shift
    command -v apt-get >/dev/null || die "$* is needed $what_for, and this is neither Debian nor Ubuntu." \
        "Install it with your system's package manager, then run this again."
    say "Installing $* from this system's package sources"
    apt update
    apt install --no-install-recommends "$@"
}

# The first of this machine's package sources that has the component `main`.
apt_mirror() {
    # shellcheck disable=SC2016  # apt's own placeholder
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | head -n 1
}
