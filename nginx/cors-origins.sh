#!/bin/sh
# Prints nginx's maps for CORS_ORIGINS: $cors_origin and its $cors_credentials. Run by entrypoint.sh in the nginx container.
# Accepts the same values as the API's settings.py; a test compares the two.
set -eu
export LC_ALL=C # so that a-z means only the 26 ASCII letters

pattern='[a-z][a-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?'
readonly pattern MAX_LENGTH=300

others='""' credentials=true listed=
set -f # an origin may be `*`
for origin in $(printf %s "$CORS_ORIGINS" | tr ',' ' '); do
    origin=${origin%"${origin##*[!/]}"} # without trailing slashes
    # shellcheck disable=SC2016  # nginx's variables, not the shell's
    if [ "$origin" = '*' ]; then
        # Credentials only for listed origins, never for `*`.
        others='$http_origin' credentials='""'
    elif [ "${#origin}" -le "$MAX_LENGTH" ] && printf '%s\n' "$origin" | grep -Eqx "$pattern"; then
        listed="$listed    \"$origin\" \$http_origin;
"
    else
        echo "CORS_ORIGINS lists '$origin'; each must be scheme://host[:port], e.g. https://chat.example.org or app://obsidian.md" >&2
        exit 1
    fi
done

cat <<END
# Written by cors-origins.sh from CORS_ORIGINS.
map \$http_origin \$cors_origin {
    default $others;
$listed}
map \$cors_origin \$cors_credentials {
    ""      "";
    default $credentials;
}
END
