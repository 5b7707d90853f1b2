# Node with the npm clients that tests/e2e/test_clients.py points at the gateway. Built by the tests; context: this folder.
ARG NODE_IMAGE
FROM ${NODE_IMAGE}
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=extra-ca \
    if grep -q CERTIFICATE /run/secrets/extra-ca; then export NODE_EXTRA_CA_CERTS=/run/secrets/extra-ca; fi; \
    npm ci --silent --no-fund --no-audit
COPY client.mjs ./
ENTRYPOINT ["node", "client.mjs"]
