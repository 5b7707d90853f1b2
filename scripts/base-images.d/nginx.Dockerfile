# Stands in for the official nginx image where no image registry can be reached.
# Built by scripts/base-images. Differs from the official image: no entrypoint that fills in templates, and `www-data`
# instead of a user `nginx`; LocalChat brings its own entrypoint and uses numeric ids, so neither matters to it.
FROM localchat-base/debian:forky
RUN apt-get -qq update \
    && apt-get -qq install --no-install-recommends nginx-light libnginx-mod-http-js >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
