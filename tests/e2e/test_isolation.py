"""nginx is the only door, and no container may do more than it needs."""

import httpx
import pytest

from tests.e2e.stack import EMAIL, PASSWORD, Stack, inspect, run

SERVICES = ["nginx", "api", "ollama", "starter-models"]


def from_the_edge(stack: Stack, code: str) -> str:
    """What Python prints in a container of a stranger on the network `edge`."""
    image = stack.inspect("api")["Config"]["Image"]
    return run("docker", "run", "--rm", "--network", stack.network("edge"), image, "python3", "-c", code)


def test_nginx_alone_publishes_a_port(stack: Stack) -> None:
    """On the address of BIND, and nowhere else."""
    for service in SERVICES:
        published = {port: to for port, to in stack.inspect(service)["NetworkSettings"]["Ports"].items() if to}
        assert list(published) == (["8080/tcp"] if service == "nginx" else []), service
    (address,) = stack.inspect("nginx")["NetworkSettings"]["Ports"]["8080/tcp"]
    assert stack.url == f"http://{address['HostIp']}:{address['HostPort']}"
    assert address["HostIp"] == "127.0.0.1"


def test_the_edge_reaches_nginx_alone(stack: Stack) -> None:
    """A container on `edge` finds neither API nor Ollama, by name or by address; it does find nginx."""
    inside = [
        stack.inspect(service)["NetworkSettings"]["Networks"][stack.network("inside")]["IPAddress"]
        for service in ("api", "ollama")
    ]
    targets = [("nginx", 8080), ("api", 8000), ("ollama", 11434), (inside[0], 8000), (inside[1], 11434)]
    code = f"""
import socket
for target in {targets}:
    try:
        socket.create_connection(target, timeout=2).close()
        print("reached", target[0])
    except OSError:
        pass
"""
    assert from_the_edge(stack, code) == "reached nginx\n"


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_hardened(stack: Stack, service: str) -> None:
    """No privilege that is not needed, bounds on what can be taken, logs that do not grow without end."""
    host = stack.inspect(service)["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == (["CAP_DAC_OVERRIDE"] if service == "ollama" else None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
    assert host["RestartPolicy"]["Name"] == ("no" if service == "starter-models" else "unless-stopped")


@pytest.mark.parametrize("service", ["nginx", "api", "starter-models"])
def test_our_own_images_are_read_only_and_not_root(stack: Stack, service: str) -> None:
    """Nothing of ours needs root, or writes outside its volumes and /tmp."""
    facts = stack.inspect(service)
    assert facts["HostConfig"]["ReadonlyRootfs"] is True
    assert int(facts["Config"]["User"].partition(":")[0]) >= 10001


def test_nginx_can_read_uploads_and_not_write_them(stack: Stack) -> None:
    """The API writes, nginx reads."""
    mounts = {mount["Destination"]: mount["RW"] for mount in stack.inspect("nginx")["Mounts"]}
    assert mounts == {"/data/uploads": False}


def test_failed_logins_are_limited_per_address(stack: Stack) -> None:
    """After ten failures from one address it has to wait, whichever worker it meets; other addresses do not."""
    code = f"""
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen
def login(password, n):
    body = json.dumps({{"email": "{EMAIL}", "password": password}}).encode()
    # What a client says about its address counts for nothing.
    headers = {{"Content-Type": "application/json", "X-Forwarded-For": f"10.9.8.{{n}}", "X-Real-IP": "10.9.8.7"}}
    try:
        return urlopen(Request("http://nginx:8080/login", body, headers)).status
    except HTTPError as error:
        return error.code, error.headers["Retry-After"] is not None
print([login("wrong", n) for n in range(12)])
print(login("{PASSWORD}", 1))
"""
    answers, right_password = from_the_edge(stack, code).splitlines()
    assert answers == str([(401, False)] * 10 + [(429, True)] * 2)
    assert right_password == str((429, True))
    assert httpx.post(f"{stack.url}/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 200


def test_correct_logins_are_not_held_back(stack: Stack) -> None:
    """A test suite that logs in for every test is no attack."""
    account = {"email": EMAIL, "password": PASSWORD}
    assert {httpx.post(f"{stack.url}/login", json=account).status_code for _ in range(50)} == {200}


@pytest.mark.parametrize("service", ["nginx", "api"])
def test_the_certificate_of_a_proxy_is_in_no_image(stack: Stack, service: str) -> None:
    """A build's secret lands in no layer."""
    history = run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", stack.inspect(service)["Image"])
    assert "BEGIN CERTIFICATE" not in history
    assert stack.run("exec", "--no-TTY", service, "find", "/run", "-name", "extra-ca") == ""


def test_what_builds_the_page_does_not_run(stack: Stack) -> None:
    """The image of nginx has the page, and neither Node nor its packages."""
    as_root = ["docker", "run", "--rm", "--network=none", "--user=root", "--entrypoint=find"]
    wanted = ["(", "-name", "node_modules", "-o", "-name", "node", "-type", "f", ")"]
    assert run(*as_root, stack.inspect("nginx")["Image"], "/", "-xdev", *wanted) == ""


def test_volumes_outlive_their_containers(stack: Stack) -> None:
    """Uploads and the signing key are on volumes."""
    mounts = {mount["Destination"]: mount["Type"] for mount in inspect(stack.inspect("api")["Id"])["Mounts"]}
    assert mounts == {"/data/uploads": "volume", "/data/state": "volume"}
