# The names of the base images that scripts/base-images builds and scripts/up writes to .env. Sourced, not run.
# shellcheck shell=bash disable=SC2034

OLLAMA_VERSION=0.34.2
DEBIAN_BASE=localchat-base/debian:forky
PYTHON_BASE=localchat-base/python:3.14
NGINX_BASE=localchat-base/nginx:1.30
NODE_BASE=localchat-base/node:24
OLLAMA_BASE=localchat-base/ollama:$OLLAMA_VERSION
