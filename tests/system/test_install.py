"""make install: what lies where, and a C program that uses the library from there."""

import os
import re
import shutil
import subprocess

import pytest
from helpers import BIN, ROOT, TRACKING

PREFIX = "/opt/desk"
PROGRAMS = ("docket", "docket-bench", "docket-broker", "docket-mail", "docket-notifier", "docket-worker", "docket-xmpp")
POST = """
#include <docket.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct docket_error error;
    struct docket_client *client = NULL;
    struct docket_submitted done;
    struct docket_ticket ticket = {.customer = "acme", .title = "No calls", .problem = "Since nine.", .impact = "down"};
    int status = 1;

    if (argc == 2 && docket_client_new(argv[1], &client, &error) && docket_submit(client, &ticket, &done, &error))
        status = puts(done.tracking) < 0;
    else
        fprintf(stderr, "%s: %s\\n", error.name, error.message);
    docket_client_free(client);
    return status;
}
"""


def make(target, destdir, umask=0o022):
    done = subprocess.run(["make", target, f"DESTDIR={destdir}", f"PREFIX={PREFIX}", "LTO=no", f"BUILD={os.path.relpath(BIN.parent, ROOT)}"],
                          cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, umask=umask)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Everything below a DESTDIR; the folder that PREFIX is there."""
    destdir = tmp_path_factory.mktemp("destdir")
    make("install", destdir)
    outside = [path for path in destdir.rglob("*") if path.is_file() and not path.is_relative_to(destdir / PREFIX[1:])]
    assert not outside
    return destdir / PREFIX[1:]


@pytest.mark.parametrize(("target", "options", "folder"), [("install", [], "build-lto"), ("install", ["LTO=no"], "build"), ("bench", [], "build-lto"),
                                                          ("bench", ["LTO=no"], "build")])
def test_what_is_installed_and_measured_is_the_optimised_build(target, options, folder):
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "BUILD", "LTO", "SAN")}
    done = subprocess.run(["make", "--dry-run", "--always-make", "V=1", "DEPS=no", "DESTDIR=/nowhere", *options, target], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env=clean)
    assert done.returncode == 0, done.stderr
    built = [line for line in done.stdout.splitlines() if line.endswith("-o build/bin/docket-broker") or line.endswith("-o build-lto/bin/docket-broker")]
    assert len(built) == 1 and built[0].endswith(f"-o {folder}/bin/docket-broker")
    assert ("-flto" in built[0]) == (folder == "build-lto") and "-z,now" in built[0]


def test_everything_lies_where_it_is_looked_for(installed):
    for name in PROGRAMS:
        done = subprocess.run([str(installed / "bin" / name), "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and name in done.stdout, name
    for name in ("docket-broker", "docket-worker", "docket-notifier"):
        unit = (installed / "lib/systemd/system" / f"{name}.service").read_text()
        assert f"ExecStart={PREFIX}/bin/{name} --config /etc/docket/{name}.yaml\n" in unit and "@" not in unit
        assert "\nStartLimitIntervalSec=0\n" in unit.partition("[Service]")[0]  # else a database that is away for some seconds ends it for good
        assert (installed / "share/docket/etc" / f"{name}.yaml").exists()
    assert "u docket " in (installed / "lib/sysusers.d/docket.conf").read_text()
    assert "complete -o default -F _docket docket" in (installed / "share/bash-completion/completions/docket").read_text()
    assert (installed / "share/zsh/site-functions/_docket").read_text().startswith("#compdef docket\n")
    assert "complete -c docket " in (installed / "share/fish/vendor_completions.d/docket.fish").read_text()
    assert (installed / "share/docket/process/process.yaml").exists() and (installed / "share/doc/docket/docs/operations.md").exists()


def test_an_upgrade_leaves_nothing_of_the_version_before_all_may_read_it_and_uninstall_takes_it_away(tmp_path):
    """A rule that is no longer shipped must not come into an empty database."""
    folder = tmp_path / PREFIX[1:]
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/other").write_text("of somebody else")
    make("install", tmp_path, umask=0o077)
    old = [folder / "share/docket" / path for path in ("process/rules/05-old.yaml", "schema/9999_old.sql")] + [folder / "share/doc/docket/examples/old.py"]
    for path in old:
        path.write_text("gone")
    make("install", tmp_path, umask=0o077)
    assert not [path for path in old if path.exists()]
    hidden = [path for path in folder.rglob("*") if not path.stat().st_mode & 0o044 == 0o044 or path.is_dir() and not path.stat().st_mode & 0o011 == 0o011]
    assert not hidden
    make("uninstall", tmp_path)
    left = [path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir() or path.name == "docket"]
    assert [str(path) for path in left] == ["bin/other"]


def test_each_link_of_the_installed_pages_leads_somewhere(installed):
    doc = installed / "share/doc/docket"
    pages = [doc / "README.md", *sorted((doc / "docs").glob("*.md")), *sorted((doc / "examples").rglob("*.md"))]
    assert len(pages) > 10
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#: ]+)[^) ]*\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(doc)}: {target}"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_understands_the_units(installed, tmp_path):
    for unit in (installed / "lib/systemd/system").glob("*.service"):
        text = unit.read_text().replace(f"{PREFIX}/bin", str(installed / "bin"))
        (tmp_path / unit.name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", *map(str, tmp_path.glob("*.service"))], capture_output=True, text=True)
    assert "docket" not in done.stderr, done.stderr


@pytest.mark.skipif(not shutil.which("man"), reason="no man here")
def test_man_pages_are_without_warnings_and_name_the_settings(installed):
    pages = sorted((installed / "share/man").rglob("docket*"))
    assert [page.name for page in pages] == ["docket-bench.1", "docket.1", "docket-broker.8", "docket-mail.8", "docket-notifier.8", "docket-worker.8", "docket-xmpp.8"]
    for page in pages:
        done = subprocess.run(["man", "-l", "--warnings", str(page)], capture_output=True, text=True, env={**os.environ, "MANWIDTH": "120", "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0 and done.stderr == "", page.name
        assert page.suffix == ".1" or page.name == "docket-xmpp.8" or "log_level" in done.stdout
        said = subprocess.run(["lexgrog", str(page)], capture_output=True, text=True)
        assert said.returncode == 0 and f'"{page.stem} - ' in said.stdout, "apropos finds it"


@pytest.mark.skipif("address" in str(BIN), reason="the library of a sanitizer build needs a program of one")
def test_a_c_program_posts_a_ticket_with_the_installed_library(installed, stack, tmp_path):
    (tmp_path / "post.c").write_text(POST)
    environment = {**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig"), "LD_LIBRARY_PATH": str(installed / "lib")}
    # As installed there: the prefix of the file is the one without DESTDIR.
    flags = subprocess.run(["pkg-config", f"--define-variable=prefix={installed}", "--cflags", "--libs", "libdocket"], capture_output=True, text=True, env=environment)
    assert flags.returncode == 0, flags.stderr
    built = subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", str(tmp_path / "post.c"), "-o", str(tmp_path / "post"),
                            *flags.stdout.split()], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([str(tmp_path / "post"), stack.endpoint()], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0 and TRACKING.match(done.stdout.strip()), done.stderr
    symbols = subprocess.run(["nm", "-D", "--defined-only", str(installed / "lib/libdocket.so.0")], capture_output=True, text=True).stdout
    names = {line.split()[-1].partition("@")[0] for line in symbols.splitlines()}
    assert "docket_submit" in names and all(re.match(r"docket_|DOCKET_0$", name) for name in names), names
