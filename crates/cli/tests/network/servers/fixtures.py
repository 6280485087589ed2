"""What the servers hand out: a git repository, and one tiny package in each of three registries.

Argument: the directory to fill; below it one directory for each host, and `git`.
"""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def archive(files):
    """A .tar.gz of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def git(root):
    """A repository with two commits that may be pushed to."""
    work = os.path.join(root, "work")
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": root,
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@test-host.example",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@test-host.example",
    }

    def run(*words):
        subprocess.run(["git", *words], cwd=work, env=environment, check=True, stdout=subprocess.DEVNULL)
    os.makedirs(work)
    run("init", "-q", "-b", "main")
    for number, name in enumerate(["first", "second"]):
        write(os.path.join(work, name), f"{name} file\n" * (number * 5000 + 1))
        run("add", name)
        run("commit", "-q", "-m", name)
    run("clone", "-q", "--bare", ".", os.path.join(root, "project.git"))


def cargo(root, host):
    """A sparse registry (Cargo Book, "Registry Index")."""
    crate = archive({
        "tiny-thing-1.0.0/Cargo.toml": '[package]\nname = "tiny-thing"\nversion = "1.0.0"\nedition = "2021"\n',
        "tiny-thing-1.0.0/src/lib.rs": "pub fn thing() -> u32 { 42 }\n",
    })
    line = {"name": "tiny-thing", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False,
            "cksum": hashlib.sha256(crate).hexdigest()}
    write(f"{root}/{host}/index/config.json", json.dumps({"dl": f"https://{host}/crates/{{crate}}-{{version}}.crate"}))
    write(f"{root}/{host}/index/ti/ny/tiny-thing", json.dumps(line) + "\n")
    write(f"{root}/{host}/crates/tiny-thing-1.0.0.crate", crate)


def npm(root, host):
    package = {"name": "tiny-thing", "version": "1.0.0", "main": "index.js"}
    ball = archive({"package/package.json": json.dumps(package), "package/index.js": "module.exports = 42;\n"})
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(ball).digest()).decode()
    dist = {"tarball": f"https://{host}/files/tiny-thing-1.0.0.tgz", "integrity": integrity}
    listing = {"name": "tiny-thing", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {**package, "dist": dist}}}
    write(f"{root}/{host}/tiny-thing/index.html", json.dumps(listing))
    write(f"{root}/{host}/files/tiny-thing-1.0.0.tgz", ball)


def pip(root, host):
    """A simple index (PEP 503) with one wheel (PEP 427)."""
    name, info = "tiny_thing-1.0.0-py3-none-any.whl", "tiny_thing-1.0.0.dist-info"
    files = {
        "tiny_thing.py": "THING = 42\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        for path, content in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(path, content)
    write(f"{root}/{host}/files/{name}", buffer.getvalue())
    write(f"{root}/{host}/simple/tiny-thing/index.html", f'<!DOCTYPE html><a href="/files/{name}">{name}</a>')


def main():
    root = sys.argv[1]
    git(os.path.join(root, "git"))
    cargo(root, "cargo.registry.example")
    npm(root, "npm.registry.example")
    pip(root, "pip.registry.example")


main()
