# Stands in for the official node:24-slim where no image registry can be reached: `node` with `npm`.
# Built by scripts/base-images. Differs from the official image: no yarn, no user `node`.
FROM localchat-base/debian:forky
RUN apt-get -qq update \
    && apt-get -qq install --no-install-recommends nodejs npm >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
CMD ["node"]
