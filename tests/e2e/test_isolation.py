"""nginx is the only way in, and no container may do more than it needs."""

import httpx
import pytest

from tests.support.stack import Stack, inspect, run

SERVICES = ["nginx", "api", "reader", "ollama", "starter-models"]


# Only nginx may reach these.
BEHIND = [("api", 8000), ("ollama", 11434)]


def addresses(stack: Stack, service: str) -> list[str]:
    """One for each of its networks."""
    return [network["IPAddress"] for network in stack.inspect(service)["NetworkSettings"]["Networks"].values()]


def answers(address: str, port: int) -> bool:
    """Whether nginx, the API or Ollama answers. A connection is no proof: some networks' routers accept any."""
    try:
        response = httpx.get(f"http://{address}:{port}/", timeout=2, trust_env=False)
    except httpx.TransportError:
        return False
    return "Ollama is running" in response.text or "X-Request-ID" in response.headers


def from_the_edge(stack: Stack, code: str) -> str:
    """Runs Python in a stranger's container on the network `edge`."""
    image = stack.inspect("api")["Config"]["Image"]
    return run("docker", "run", "--rm", "--network", stack.network("edge"), image, "python3", "-c", code)


def test_only_nginx_publishes_a_port(stack: Stack) -> None:
    """On the address of BIND, and nowhere else."""
    for service in SERVICES:
        published = {port: to for port, to in stack.inspect(service)["NetworkSettings"]["Ports"].items() if to}
        assert list(published) == (["8080/tcp"] if service == "nginx" else []), service
    (address,) = stack.inspect("nginx")["NetworkSettings"]["Ports"]["8080/tcp"]
    assert stack.url == f"http://{address['HostIp']}:{address['HostPort']}"
    assert address["HostIp"] == "127.0.0.1"


def test_the_edge_reaches_only_nginx(stack: Stack) -> None:
    """A container on `edge` reaches neither API nor Ollama, by name or by address; it does reach nginx."""
    by_address = [(address, port) for service, port in BEHIND for address in addresses(stack, service)]
    targets = [("nginx", 8080), *BEHIND, *by_address]
    code = f"""
from http.client import HTTPConnection, HTTPException
for host, port in {targets}:
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
    except (OSError, HTTPException):
        continue
    if answer.headers["X-Request-ID"] or b"Ollama is running" in answer.read():
        print("reached", host)
"""
    assert from_the_edge(stack, code) == "reached nginx\n"


@pytest.mark.parametrize(("service", "port"), BEHIND)
def test_users_of_this_machine_reach_only_nginx(stack: Stack, service: str, port: int) -> None:
    """Ollama would let them create and push models; the API would trust their X-Forwarded-For."""
    found = addresses(stack, service)
    assert len(found) == 2
    assert [address for address in found if answers(address, port)] == []
    assert answers("127.0.0.1", int(stack.url.rpartition(":")[2]))


def listening(stack: Stack, service: str) -> set[str]:
    """The addresses on which a container listens, without Docker's DNS."""
    lines = stack.run("exec", "--no-TTY", service, "cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines()
    found = [fields[1].split(":")[0] for line in lines if (fields := line.split())[3] == "0A"]
    return {".".join(str(byte) for byte in reversed(bytes.fromhex(one))) for one in found} - {"127.0.0.11"}


def test_the_api_listens_on_no_network(stack: Stack) -> None:
    """Only nginx can connect, by a socket on a volume; the health check uses loopback."""
    assert listening(stack, "api") == {"127.0.0.1"}


def test_ollama_does_not_listen_where_it_has_a_way_out(stack: Stack) -> None:
    """It downloads models over another network than the one it is reached on."""
    networks = stack.inspect("ollama")["NetworkSettings"]["Networks"]
    inside, library = stack.network("inside"), stack.network("library")
    assert set(networks) == {inside, library}
    assert listening(stack, "ollama") - {"127.0.0.1"} == {networks[inside]["IPAddress"]}


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_hardened(stack: Stack, service: str) -> None:
    """No unneeded privilege, limited resources, logs of limited size."""
    host = stack.inspect(service)["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == (["CAP_DAC_OVERRIDE"] if service == "ollama" else None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False
    # Ollama's limit depends on the machine: scripts/up sets it.
    assert host["Memory"] > 0 or service == "ollama"
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
    assert host["RestartPolicy"]["Name"] == ("no" if service == "starter-models" else "unless-stopped")


@pytest.mark.parametrize("service", ["nginx", "api", "reader", "starter-models"])
def test_our_own_images_are_read_only_and_not_root(stack: Stack, service: str) -> None:
    """They need no root, and write only to their volumes and /tmp."""
    facts = stack.inspect(service)
    assert facts["HostConfig"]["ReadonlyRootfs"] is True
    assert int(facts["Config"]["User"].partition(":")[0]) >= 10001


def test_nginx_can_read_uploads_and_not_write_them(stack: Stack) -> None:
    """The API writes, nginx reads."""
    mounts = {mount["Destination"]: mount["RW"] for mount in stack.inspect("nginx")["Mounts"]}
    assert mounts == {"/data/uploads": False, "/run/localchat": False}


def test_the_reader_has_nothing(stack: Stack) -> None:
    """No network but its own loopback, no volume but the one with its socket, and no way into the uploads."""
    facts = stack.inspect("reader")
    assert facts["HostConfig"]["NetworkMode"] == "none"
    assert {mount["Destination"] for mount in facts["Mounts"]} == {"/run/reader"}
    found = stack.python("reader", "import os, socket; print(os.getgroups(), [n for _, n in socket.if_nameindex()])")
    assert found == "[10004] ['lo']\n"


def test_failed_logins_are_limited_per_address(stack: Stack) -> None:
    """After ten failures an address has to wait, whichever worker it meets; other addresses do not."""
    code = f"""
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen
def login(password, n):
    body = json.dumps({{"email": "{stack.email}", "password": password}}).encode()
    # What a client says about its address counts for nothing.
    headers = {{"Content-Type": "application/json", "X-Forwarded-For": f"10.9.8.{{n}}", "X-Real-IP": "10.9.8.7"}}
    try:
        return urlopen(Request("http://nginx:8080/login", body, headers)).status
    except HTTPError as error:
        return error.code, error.headers["Retry-After"] is not None
print([login("wrong", n) for n in range(12)])
print(login("{stack.password}", 1))
"""
    answers, right_password = from_the_edge(stack, code).splitlines()
    assert answers == str([(401, False)] * 10 + [(429, True)] * 2)
    assert right_password == str((429, True))
    assert httpx.post(f"{stack.url}/login", json={"email": stack.email, "password": stack.password}).status_code == 200


def test_correct_logins_are_not_held_back(stack: Stack) -> None:
    """A test suite that logs in for every test is no attack."""
    account = {"email": stack.email, "password": stack.password}
    assert {httpx.post(f"{stack.url}/login", json=account).status_code for _ in range(50)} == {200}


@pytest.mark.parametrize("service", ["nginx", "api", "reader"])
def test_the_certificate_of_a_proxy_is_in_no_image(stack: Stack, service: str) -> None:
    """No layer contains a build's secret."""
    image = stack.inspect(service)["Image"]
    history = run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert "BEGIN CERTIFICATE" not in history
    # Not in the running container: the API gets it there, to trust an identity provider.
    assert run("docker", "run", "--rm", "--network=none", "--entrypoint=find", image, "/run", "-name", "extra-ca") == ""


def test_what_builds_the_page_does_not_run(stack: Stack) -> None:
    """nginx's image has the page, but neither Node nor its packages."""
    as_root = ["docker", "run", "--rm", "--network=none", "--user=root", "--entrypoint=find"]
    wanted = ["(", "-name", "node_modules", "-o", "-name", "node", "-type", "f", ")"]
    assert run(*as_root, stack.inspect("nginx")["Image"], "/", "-xdev", *wanted) == ""


def test_volumes_outlive_their_containers(stack: Stack) -> None:
    """Uploads, the database and the signing key are on volumes; nothing else is mounted that can be written to."""
    mounts = inspect(stack.inspect("api")["Id"])["Mounts"]
    writable = {mount["Destination"]: mount["Type"] for mount in mounts if mount["RW"]}
    assert writable == {"/data/uploads": "volume", "/data/state": "volume", "/run/localchat": "volume"}
    assert {mount["Destination"] for mount in mounts} - writable.keys() <= {"/run/reader", "/run/secrets/extra-ca"}
