"""What the comparisons with nginx share: servers with one worker, and what they spent."""

import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NGINX = "/usr/sbin/nginx"
MODULES = ["/usr/lib/nginx/modules/ndk_http_module.so",
           "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"]
CRS_SETUP = "/etc/modsecurity/crs/crs-setup.conf"
CRS_RULES = "/usr/share/modsecurity-crs/rules"


def fail(text):
    sys.exit(f"bench/{os.path.basename(sys.argv[0])}: {text}")


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def engine_rules():
    """Debian's modsecurity.conf for nginx as it is, but blocking and without an audit log."""
    lines = []
    for line in pathlib.Path("/etc/nginx/modsecurity.conf").read_text().splitlines():
        line = line.replace("SecUnicodeMapFile unicode", "SecUnicodeMapFile /etc/nginx/unicode")
        if not line.startswith(("SecRuleEngine", "SecAudit", "SecStatusEngine")):
            lines.append(line)
    lines += ["SecRuleEngine On", "SecAuditEngine Off",
              f"Include {CRS_SETUP}", f"Include {CRS_RULES}/*.conf"]
    return "\n".join(lines) + "\n"


def frame(http, port, body, top="", connections=1024):
    """A configuration with one worker. What is the same for all servers stands here."""
    user = "user www-data;\n" if os.geteuid() == 0 else ""
    return f"""{top}{user}worker_processes 1;
pid server.pid;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
{http}
  server {{
    listen 127.0.0.1:{port};
{body}
  }}
}}
"""


class Server:
    """A master with one worker, in a folder of its own. Stopped by its process id."""

    def __init__(self, name, binary, folder, port, config):
        self.name = name
        self.port = port
        prefix = folder / name.replace(" ", "-")
        prefix.mkdir()
        prefix.chmod(0o755)
        (prefix / "server.conf").write_text(config)
        self.log = prefix / "error.log"
        self.process = subprocess.Popen(
            [binary, "-p", f"{prefix}/", "-c", f"{prefix}/server.conf", "-e", str(self.log),
             "-g", "daemon off;"], stdin=subprocess.DEVNULL)
        self.worker = None

    def wait_until_ready(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                fail(f"{self.name} did not start; its log:\n{self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                workers = self.children()
                if workers:
                    self.worker = workers[0]
                    return
            except OSError:
                pass
            time.sleep(0.05)
        fail(f"{self.name} does not answer; its log:\n{self.tail()}")

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def cpu_seconds(self):
        """Of the worker: user, system."""
        tick = os.sysconf("SC_CLK_TCK")
        fields = pathlib.Path(f"/proc/{self.worker}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) / tick, int(fields[12]) / tick

    def memory_kib(self, kind="Pss"):
        try:
            text = pathlib.Path(f"/proc/{self.worker}/smaps_rollup").read_text()
            return int(re.search(rf"^{kind}:\s+(\d+)", text, re.M).group(1))
        except PermissionError:
            return None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Figures:
    """What one proxy spent on each unit of one kind of work, in µs, a value for each round."""

    def __init__(self):
        self.user, self.system, self.total, self.rate = [], [], [], []

    def add(self, count, user, system, seconds):
        self.user.append(user / count * 1e6)
        self.system.append(system / count * 1e6)
        self.total.append((user + system) / count * 1e6)
        self.rate.append(count / seconds)

    def cell(self):
        total, user, system = (statistics.median(x) for x in (self.total, self.user, self.system))
        return f"{total:.1f} ({user:.1f} + {system:.1f})"

    def spread(self):
        return f"{min(self.total):.1f} to {max(self.total):.1f}"


def memory(kib):
    return "?" if kib is None else f"{kib / 1024:.1f} MiB"


def count_calls(server, run, folder):
    """System calls of the worker for each unit of work; `run` makes some and returns how many."""
    report = folder / "strace"
    tracer = subprocess.Popen(["strace", "-c", "-f", "-p", str(server.worker), "-o", str(report)],
                              stderr=subprocess.PIPE, text=True)
    if "attached" not in tracer.stderr.readline():
        fail("strace cannot attach to the worker (it needs root, or kernel.yama.ptrace_scope 0)")
    count = run()
    tracer.send_signal(signal.SIGINT)
    tracer.communicate()
    calls = {}
    for line in report.read_text().splitlines():
        columns = line.split()
        if len(columns) >= 5 and columns[3].isdigit() and columns[-1] != "total":
            calls[columns[-1]] = int(columns[3]) / count
    return call_cell(calls)


def call_cell(calls):
    # What is rarer belongs to connections, not to what they carry.
    often = [(name, count) for name, count in calls.items() if count >= 0.1]
    often.sort(key=lambda call: -call[1])
    text = ", ".join(f"{name} {count:.2f}" for name, count in often)
    return f"**{sum(calls.values()):.2f}** ({text})"
