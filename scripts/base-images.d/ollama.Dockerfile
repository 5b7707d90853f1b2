# Stands in for the official ollama/ollama where no image registry can be reached: the real server, built from its Go
# module, with Debian's llama.cpp as its runner. Built by scripts/base-images. Differs from the official image: CPU only.
FROM localchat-base/debian:forky AS build
RUN apt-get -qq update \
    && apt-get -qq install --no-install-recommends golang-go g++ >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ARG OLLAMA_VERSION
# The certificate of a TLS-intercepting proxy, if there is one, is a secret: it lands in no layer.
RUN --mount=type=secret,id=extra-ca --mount=type=cache,target=/root/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    if grep -q CERTIFICATE /run/secrets/extra-ca; then export SSL_CERT_FILE=/run/secrets/extra-ca; fi; \
    go install -trimpath -ldflags "-s -w -X=github.com/ollama/ollama/version.Version=${OLLAMA_VERSION}" \
        "github.com/ollama/ollama@v${OLLAMA_VERSION}"

FROM localchat-base/debian:forky
RUN apt-get -qq update \
    && apt-get -qq install --no-install-recommends llama.cpp-tools >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=build /root/go/bin/ollama /usr/bin/ollama
# Ollama looks for its runner, and for the quantizer of `ollama create`, in ../lib/ollama beside its own binary.
RUN mkdir /usr/lib/ollama && ln -s /usr/bin/llama-server /usr/bin/llama-quantize /usr/lib/ollama/
ENV OLLAMA_HOST=0.0.0.0:11434
EXPOSE 11434
ENTRYPOINT ["/bin/ollama"]
CMD ["serve"]
