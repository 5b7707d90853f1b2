# Stands in for the official python:3.14-slim where no image registry can be reached: `python3` with `venv`.
# Built by scripts/base-images. Differs from the official image: /usr/bin/python3 instead of /usr/local/bin/python3.
FROM localchat-base/debian:forky
RUN apt-get -qq update \
    && apt-get -qq install --no-install-recommends python3 python3-venv >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
CMD ["python3"]
