# How the scripts report: one line per step, errors with their remedy. Sourced, not run.
# shellcheck shell=bash

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

# Usage: die "what is wrong" ["what to do"]
die() {
    printf '\033[31merror:\033[0m %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '       %s\n' "$2" >&2
    exit 1
}

# Usage: wait_until SECONDS COMMAND...   Fails if COMMAND has not succeeded by then.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# A package mirror may fail for a moment. Usage: with_retries COMMAND...   Three times at most, RETRY_SECONDS apart.
with_retries() {
    local attempt
    for attempt in 1 2; do
        if "$@"; then return; fi
        say "Trying again in ${RETRY_SECONDS:=10} s ($attempt of 2): $1"
        sleep "$RETRY_SECONDS"
    done
    "$@"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
