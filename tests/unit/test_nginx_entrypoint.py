"""nginx/entrypoint.sh: how the settings and the machine shape nginx's configuration."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.http.hosts import name_of
from api.settings import Settings
from tests.unit.data_plane import GIBIBYTE, Configuration, Container

OLLAMA_URLS = [
    "http://ollama:11434",
    "http://ollama",
    "http://ollama/",
    "http://ollama:11434/",
    "https://ollama",
    "https://gpu.example.org:8443/",
    "http://192.168.1.20:11434",
    "http://my_host-1.lan:80",
    "http://GPU.Example.Org",
    "http://[::1]",
    "http://[::1]:11434",
    "http://[fd00::1]:11434/",
    "http://[::ffff:10.0.0.1]:1",
    "http://a:1",
    "http://a:65535",
    "http://a:00080",
    "http://a:0",
    "http://a:65536",
    "http://a:99999",
    "http://a:123456",
    "http://a:",
    "http://a:b",
    "http://a:1:2",
    "http://:80",
    "http://",
    "http:///",
    "http://a//",
    "http://a/x",
    "http://a?b",
    "http://a#b",
    "http://u@a",
    "http://u:p@a",
    "http://a b",
    "http://a\nb",
    "http://a\nhttp://b",
    "http://a\n",
    " http://a",
    "HTTP://a",
    "ftp://a",
    "a:11434",
    "a",
    "http://a;return 200",
    "http://$host",
    "http://a|b",
    "http://a&b",
    "http://[::1",
    "http://::1]",
    "http://[::G]",
    "http://[a]b",
    "http://\u00fc",
]
HOST_LISTS = [
    "",
    "chat.example.org",
    "Chat.Example.ORG.",
    "chat.example.org:443",
    "chat.example.org.:443",
    "*.example.org",
    " a.example , b.example,, c ",
    "[::1],a.example",
    "\ta.example\t,\n b.example",
    "a.example b.example",
    "a.example\nb.example",
    "*",
    "*.org",
    "*.a.*.b",
    "a..b",
    "a.example;",
    "a.example/x",
    "http://a.example",
    "a$b",
    "~^.*$",
    ".example.org",
    "\u00fc.example",
]


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path / "root")


def in_the_api(url: str) -> tuple[str, str, int] | None:
    """Scheme, name and port; None if it is refused."""
    try:
        settings = Settings.model_validate({"ollama_url": url})
    except ValidationError:
        return None
    scheme, _, authority = settings.ollama_url.partition("://")
    name, port = re.fullmatch(r"(\[.*\]|[^:]*):?(\d*)", authority).groups()  # type: ignore[union-attr]
    return scheme, name, int(port or {"http": 80, "https": 443}[scheme])


def in_nginx(container: Container, url: str) -> tuple[str, str, int] | None:
    if refusal := container.refusal(OLLAMA_URL=url):
        assert refusal.startswith("nginx does not start: OLLAMA_URL=")
        return None
    nginx = Configuration(container.root / "tmp/nginx")
    upstream = next(one for one in nginx.http.own("upstream") if one.title == "ollama")
    location = nginx.locations["@ollama"]
    name, _, port = upstream.own_title("server").split()[0].rpartition(":")
    assert location.value("proxy_ssl_name") == name
    return location.own_title("proxy_pass").removesuffix("://ollama"), name, int(port)


@pytest.mark.parametrize("url", OLLAMA_URLS)
def test_both_take_ollamas_url_apart_alike(container: Container, url: str) -> None:
    """Or neither starts, and nothing else becomes a line of nginx's configuration."""
    assert in_nginx(container, url) == in_the_api(url)


def hosts_in_the_api(value: str) -> set[str] | None:
    try:
        hosts = Settings.model_validate({"allowed_hosts": value}).allowed_hosts
    except ValidationError:
        return None
    return {host for host in hosts if not host.startswith("[")}  # always known


@pytest.mark.parametrize("value", HOST_LISTS)
def test_both_read_a_list_of_hosts_alike(container: Container, value: str) -> None:
    """Spaces, ports, a trailing dot and case do not matter."""
    if refusal := container.refusal(ALLOWED_HOSTS=value):
        assert "ALLOWED_HOSTS lists" in refusal
        assert hosts_in_the_api(value) is None
        return
    lines = re.findall(
        "^server_name (.*);$", (container.root / "tmp/nginx/allowed-hosts.conf").read_text(), re.MULTILINE
    )
    assert {name_of(name) for name in lines} == hosts_in_the_api(value)


def test_it_does_not_start_with_an_invalid_origin(container: Container) -> None:
    """The message names the setting."""
    refusal = container.refusal(CORS_ORIGINS="null")
    assert "CORS_ORIGINS lists 'null'" in refusal
    assert refusal.endswith("nginx does not start: CORS_ORIGINS is not a list of origins\n")


def workers(nginx: Configuration) -> tuple[str, str]:
    (events,) = nginx.root.own("events")
    return nginx.root.own_title("worker_processes"), events.own_title("worker_connections")


@pytest.mark.parametrize(
    ("memory_gib", "processors", "expected"),
    [(2, "2", ("2", "4096")), (2, "1", ("1", "4096")), (2, "64", ("4", "2457")), (1.25, "4", ("4", "491"))],
)
def test_connections_fit_in_memory(
    tmp_path: Path, memory_gib: float, processors: str, expected: tuple[str, str]
) -> None:
    """Those of all workers, with /tmp, below the container's limit."""
    container = Container(tmp_path / "root", int(memory_gib * GIBIBYTE), {"nproc": processors})
    assert workers(Configuration(container.render())) == expected


def test_it_does_not_start_where_nothing_fits(tmp_path: Path) -> None:
    """A limit that /tmp alone could use up."""
    refusal = Container(tmp_path / "root", memory_bytes=GIBIBYTE).refusal()
    assert "its memory limit leaves no room beside /tmp, which may take 1024 MB" in refusal


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_without_a_limit_it_is_the_machines_memory(container: Container, limit: str) -> None:
    """Cgroup v2 has a word for no limit, v1 an impossibly large number."""
    container.write("sys/fs/cgroup/memory.max", limit)
    container.write("proc/meminfo", f"MemTotal:       {5 * GIBIBYTE // 4096} kB\n")  # 1.25 GiB
    assert workers(Configuration(container.render())) == ("2", "983")


def test_the_limit_is_found_in_either_version_of_cgroups(container: Container) -> None:
    """Version 1 uses another file."""
    (container.root / "sys/fs/cgroup/memory.max").unlink()
    container.write("sys/fs/cgroup/memory/memory.limit_in_bytes", str(5 * GIBIBYTE // 4))
    assert workers(Configuration(container.render())) == ("2", "983")


def test_connections_are_fewer_than_open_files(container: Container) -> None:
    """Each connection takes a file descriptor; a worker may open as many as the hard limit allows."""
    nginx = Configuration(container.render(open_files="1024"))
    assert nginx.root.own_title("worker_rlimit_nofile") == "1024"
    assert workers(nginx) == ("2", "960")


def ollama_server(nginx: Configuration) -> list[str]:
    upstream = next(one for one in nginx.http.own("upstream") if one.title == "ollama")
    return [server.title for server in upstream.own("server")]


def test_a_name_is_asked_for_again_and_its_last_address_kept(container: Container) -> None:
    """A recreated container has another address."""
    servers = ollama_server(Configuration(container.render()))
    assert servers == ["ollama:11434 resolve max_fails=0", "172.18.0.4:11434 max_fails=0 backup"]


def test_a_name_of_the_hosts_file_is_not_asked_for_again(container: Container) -> None:
    """Docker's DNS does not know it."""
    servers = ollama_server(Configuration(container.render(OLLAMA_URL="http://host.docker.internal:11434")))
    assert servers == ["host.docker.internal:11434 max_fails=0"]


def test_no_setting_is_left_open(container: Container) -> None:
    """Every @SETTING@ is filled in."""
    nginx = Configuration(container.render())
    assert not [line.title for line in nginx.root.walk() if re.search("@[A-Z_]+@", line.title)]


def test_what_is_rendered_is_whole(container: Container) -> None:
    """For scripts/redeploy: configuration, JavaScript, the page and take-over.sh."""
    names = {path.name for path in container.render().iterdir()}
    sources = {path.name for path in (container.root / "etc/nginx/localchat").glob("*.conf")}
    assert names == sources | {
        *("allowed-hosts.conf", "cors-origins.conf", "ollama-last-known.conf"),
        *("ollama-answers.js", "take-over.sh", "page"),
    }


def test_an_unknown_argument_is_refused(container: Container) -> None:
    """It does not start nginx."""
    done = container.run("reload")
    assert (done.returncode, b"reload" in done.stderr) == (1, True)
