"""Images built from a folder that differs from a git checkout."""

import os
from pathlib import Path

from tests.support.checkouts import copy_tree, git, text_files
from tests.support.runs import IMAGE_TAG
from tests.support.stack import run

IMAGE = f"localchat/test-crlf:{IMAGE_TAG}"
SETTINGS = {
    "OLLAMA_URL": "http://ollama:11434",
    "OLLAMA_TIMEOUT_SECONDS": "600",
    "CORS_ORIGINS": "",
    "MAX_BODY_MB": "32",
    "MAX_UPLOAD_MB": "100",
}


def tree_with_carriage_returns(folder: Path) -> None:
    copy_tree(folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    for file in text_files(folder):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def test_carriage_returns_do_not_keep_nginx_from_starting(tmp_path: Path) -> None:
    """A zip from Windows, or a clone from before .gitattributes existed, still gives a working nginx."""
    tree_with_carriage_returns(tmp_path)
    secret = f"id=extra-ca,src={os.environ.get('EXTRA_CA_FILE') or 'api/no-extra-ca.pem'}"
    build = ["docker", "buildx", "build", "--quiet", "--load", "--tag", IMAGE, "--secret", secret]
    arguments = ["--build-arg", "NGINX_IMAGE", "--build-arg", "NODE_IMAGE"]
    run(*build, *arguments, "--file", str(tmp_path / "nginx/Dockerfile"), str(tmp_path))

    settings = [f"--env={name}={value}" for name, value in SETTINGS.items()]
    contained = ["docker", "run", "--rm", "--network=none", "--tmpfs=/tmp:uid=10002,gid=10001", *settings]
    check = "localchat-nginx render >/tmp/rendered.tar && nginx -q -t -c /tmp/nginx/nginx.conf"
    run(*contained, "--entrypoint=sh", IMAGE, "-c", check)
