# Debian's and Ubuntu's package tool, quietly and as root. Sourced, not run; needs lib/say.sh.
# shellcheck shell=bash

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null; }

# Usage: install_packages WHAT-FOR PACKAGE...   Dies, with WHAT-FOR, on a machine that has no apt.
install_packages() {
    local what_for=$1
    shift
    command -v apt-get >/dev/null || die "$* is needed $what_for, and this is neither Debian nor Ubuntu." \
        "Install it the way your system does it, then run this again."
    say "Installing $* from this system's package sources"
    apt update
    apt install --no-install-recommends "$@"
}

# The first package source of this machine that has a part `main`.
apt_mirror() {
    # shellcheck disable=SC2016  # apt's own placeholder
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | head -n 1
}
