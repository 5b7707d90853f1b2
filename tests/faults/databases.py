"""The database of a stack, put back after a test has spoilt it."""

from tests.support.stack import Stack

DATABASE = "/data/state/localchat.sqlite"


def put_back_database(stack: Stack, copy: str) -> None:
    """`copy` takes its place, and this checkout's API starts with it."""
    stack.run("stop", "api")
    script = f"rm -f {DATABASE} {DATABASE}-wal {DATABASE}-shm && mv {copy} {DATABASE}"
    stack.run("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "sh", "api", "-c", script)
    stack.run("up", "--detach", "--wait", "--no-deps", "--force-recreate", "--build", "api")
