# Reads and writes .env the way Compose reads it. Sourced, not run; needs lib/say.sh, works in the repository root.
# shellcheck shell=bash

# Usage: setting NAME   Its value as Compose sees it: from the shell, else from .env, else empty.
setting() {
    # shellcheck disable=SC2016  # Compose's variable
    printf 'services: { s: { image: s, command: ["${%s-}"] } }' "$1" |
        docker compose --project-directory . --project-name localchat --file - config --format json 2>/dev/null |
        sed -n '/"command": \[/{n; s/^ *"\(.*\)"$/\1/; s/\$\$/$/g; p}'
}

# Usage: written NAME   The text after the last NAME= in .env, quotes included.
written() {
    local name="[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*[=:][[:space:]]*"
    sed '1s/^\xEF\xBB\xBF//' .env | sed -n -E "s/^$name//; T; s/[[:space:]]*\$//; p" | tail -n 1
}

# Usage: remember NAME   Writes the shell's value to .env, unless .env has one.
remember() {
    [ -n "${!1:-}" ] && [ -z "$(written "$1")" ] || return 0
    # The last line may lack a newline.
    [ -z "$(tail -c 1 .env)" ] || echo >>.env
    printf '%s=%s\n' "$1" "${!1}" >>.env
}

# Whether Compose would interpret a variable, a comment or an escape in the value. Single quotes prevent it.
is_changed_by_compose() {
    case $1 in
        \'*) return 1 ;;
        *\$* | *[[:space:]]\#* | \"*\\*) return 0 ;;
        *) return 1 ;;
    esac
}

# Otherwise the stack would start with another password than the one written.
refuse_changed_secrets() {
    local name
    for name in ADMIN_EMAIL ADMIN_PASSWORD SECRET_KEY OIDC_CLIENT_SECRET; do
        [ -z "${!name+set}" ] || continue # the shell's value takes precedence, unchanged
        ! is_changed_by_compose "$(written "$name")" ||
            die "Compose would change $name as written in .env: \$ starts a variable, # after a space a comment, and \\ in double quotes an escape." \
                "Put the value in single quotes, $name='…', and any comment on its own line; then run this again."
    done
}

refuse_unreadable_env() {
    docker compose config --quiet || die "Compose cannot read the settings; see the line above." "Correct .env, then run this again."
}
