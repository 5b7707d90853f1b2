# LiteLLM's proxy, for `scripts/bench --peers`. Needs nothing from the repository.
ARG PYTHON_IMAGE=python:3.14.7-slim
FROM ${PYTHON_IMAGE}
ARG LITELLM_VERSION
RUN --mount=type=secret,id=extra-ca --mount=type=cache,target=/root/.cache \
    if grep -q CERTIFICATE /run/secrets/extra-ca; then export PIP_CERT=/run/secrets/extra-ca; fi; \
    python3 -m venv /opt/litellm \
    && /opt/litellm/bin/pip install --quiet --disable-pip-version-check "litellm[proxy]==${LITELLM_VERSION}"
# Otherwise it downloads prices when it starts.
ENV PATH=/opt/litellm/bin:$PATH LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["litellm"]
