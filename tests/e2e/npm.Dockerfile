# A program for Node with its packages. Built by tests/e2e/npm.py; context: the program's folder.
ARG NODE_IMAGE
FROM ${NODE_IMAGE}
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=extra-ca \
    if grep -q CERTIFICATE /run/secrets/extra-ca; then export NODE_EXTRA_CA_CERTS=/run/secrets/extra-ca; fi; \
    npm ci --silent --no-fund --no-audit
COPY main.mjs ./
ENTRYPOINT ["node", "main.mjs"]
