#!/usr/bin/python3
"""make mutants: breaks one rule of writing at a time and asks whether the tests notice.

Each mutant is a copy of the tree with one place changed; the tests named with it must fail there. MUTANT=name runs one. Closes with the counts; exit 1
when a mutant survived, or when its place is not in the code any more."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# name, rule of reliability it breaks, file, what stands there, what stands there instead, tests (files or files::names) that must fail
MUTANTS = [
    ("guard", 1, "broker/sql/decide_again.sql", " AND d.owner = $16::bigint AND d.attempt = u.attempt_before AND d.version = u.version_before", "",
     ["tests/system/test_failover.py::test_a_paused_broker_wakes_up_and_does_no_harm"]),
    ("rows_of_all", 1, "broker/sql/decide_fresh.sql", "      FROM d JOIN unnest($13::bigint[], $14::integer[], $15::smallint[], $16::boolean[], $17::bytea[])\n           AS x(ticket, version, kind, public, body) USING (ticket), clock",
     "      FROM unnest($13::bigint[], $14::integer[], $15::smallint[], $16::boolean[], $17::bytea[])\n           AS x(ticket, version, kind, public, body), clock",
     ["tests/system/test_failover.py::test_an_op_at_the_other_broker_beats_a_decision_under_way"]),
    ("op_owns", 2, "broker/sql/change.sql", "           attempt = d.attempt + 1,\n           owner = $5::bigint,\n", "",
     ["tests/system/test_workers.py::test_comments_while_a_worker_is_slow_are_decided_all_the_same"]),
    ("bury", 3, "broker/sql/bury.sql", "pg_terminate_backend(a.pid, 2000)", "a.pid > 0",
     ["tests/system/test_failover.py::test_a_paused_broker_wakes_up_and_does_no_harm"]),
    ("history", 3, "broker/epoch.c", "    customers_forget(broker->customers);\n", "",
     ["tests/system/test_failover.py::test_a_restored_database_is_known_and_nothing_read_before_counts"]),
    ("adopt", 3, "broker/sql/adopt_orphans.sql", "   AND NOT EXISTS (SELECT FROM desk d WHERE d.ticket = t.id)", "   AND false",
     ["tests/system/test_failover.py::test_tickets_of_a_killed_broker_are_decided_by_the_other"]),
    ("split", 4, "broker/writer.c", "    size_t half = batch->count / 2;\n", "    size_t half = batch->count / 2;\n    batch->count = half > 0 ? half : 1;\n",
     ["tests/system/test_batches.py::test_a_row_that_the_database_refuses_is_the_culprit_s_answer_alone"]),
    ("answer_early", 4, "broker/writer.c", "    case PG_FAILED:\n        batch_failed(batch, end);", "    case PG_FAILED:\n        batch_done(batch, NULL);",
     ["tests/system/test_batches.py"]),
    ("repeat_form", 5, "broker/sql/posting_repeat.sql", "    ON CONFLICT (key_digest) DO UPDATE SET content_digest = was.content_digest\n", "    ON CONFLICT (key_digest) DO NOTHING\n",
     ["tests/system/test_idempotency.py"]),
    ("duplicate", 5, "broker/posting.c", "posting_answer(posting, posting->stored_id, posting->posted_at, !own);", "posting_answer(posting, posting->stored_id, posting->posted_at, false);",
     ["tests/system/test_idempotency.py"]),
    ("key_of_op", 5, "broker/sql/change.sql", "       AND NOT EXISTS (SELECT FROM k)\n", "",
     ["tests/system/test_idempotency.py::test_an_op_repeated_with_its_key_changes_nothing_more"]),
    ("rest", 6, "broker/wakes.c", "enum { DISCARDED_MOST = 3 };", "enum { DISCARDED_MOST = 250 };",
     ["tests/system/test_workers.py::test_a_ticket_that_changes_faster_than_it_is_decided_rests_and_gets_decided"]),
    ("open_clock", 7, "broker/decision.c", "!decision_read_clocks(body, base, &decision, err)", "(!decision_read_clocks(body, base, &decision, err) && false)",
     ["tests/system/test_workers.py::test_a_decision_that_leaves_an_open_clock_out_fails"]),
    ("own_alert", 8, "broker/ops_alerts.c", "        if (state == OPS_HOLDS)\n            alert_open(broker, cause, &rows[i]);", "        if (false)\n            alert_open(broker, cause, &rows[i]);",
     ["tests/system/test_workers.py::test_without_any_worker_ops_are_told"]),
]


def sh(*command, **more):
    return subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def breaks(tree, file, old, new):
    """Changes the place; False when it is not there just once."""
    path = tree / file
    text = path.read_text()
    if text.count(old) != 1:
        return False
    path.write_text(text.replace(old, new))
    return True


def killed(tree, tests):
    """Whether a test failed: built, run, and not merely not found."""
    built = sh("make", "-j2", "all", cwd=tree)
    if built.returncode != 0:
        sys.exit(f"mutants: it does not build:\n{built.stdout[-2000:]}")
    env = {**os.environ, "DOCKET_BUILD": str(tree / "build"), "DOCKET_BIN": str(tree / "build/bin"), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = sh("/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-x", *tests, cwd=tree, env=env)
    if ran.returncode not in (0, 1):
        sys.exit(f"mutants: the tests did not run:\n{ran.stdout[-2000:]}")
    return ran.returncode == 1


def main():
    only = os.environ.get("MUTANT", "")
    chosen = [mutant for mutant in MUTANTS if only in ("", mutant[0])]
    if not chosen:
        sys.exit(f"mutants: none is called {only}; there are {', '.join(mutant[0] for mutant in MUTANTS)}")
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="docket-mutants-") as folder:
        tree = pathlib.Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=lambda _, names: [name for name in names if name == ".git" or (name.startswith("build-") and name != "build-aux")], symlinks=True)
        for name, rule, file, old, new, tests in chosen:
            whole = (tree / file).read_text()
            if not breaks(tree, file, old, new):
                print(f"rule {rule} {name:<14} GONE: {file} has not just once what it breaks", flush=True)
                survivors += 1
                continue
            dead = killed(tree, tests)
            survivors += not dead
            print(f"rule {rule} {name:<14} {'killed' if dead else 'SURVIVED: ' + ' '.join(tests)}", flush=True)
            (tree / file).write_text(whole)
    print(f"{len(chosen) - survivors} passed, {survivors} failed")
    return survivors != 0


if __name__ == "__main__":
    sys.exit(main())
