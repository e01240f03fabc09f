/* The company's process as this broker knows it; see process_room.h. */
#include "process_room.h"
#include "broker.h"
#include "calls.h"
#include "clock.h"
#include "key_known.h"
#include "log.h"
#include "mem.h"
#include "oncall.h"
#include "pg.h"
#include "statements.h"
#include "workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 500,
    ASK_TIMEOUT_MS = 8000,
    BODY_BYTES_MAX = 4 << 20,
    ERRORS_BYTES_MAX = 256 << 10,
    TELL_BYTES = 300,
    REPLY_ROOM_BYTES = 256
};

/* ---- which is current ---- */

/* Its schedules, for the ops oncall.*. The old ones point into the old process. */
static void current_take_oncall(struct broker *broker, const struct process *parsed)
{
    struct faults faults = {0};

    oncall_free(broker->process.oncall);
    broker->process.oncall = NULL;
    if (parsed != NULL && !oncall_new(parsed, ONCALL_ZONEINFO, &broker->process.oncall, &faults))
        log_event(LOG_ERROR, "oncall_unusable", "reason=%s", log_quote(faults.items[0].text));
    faults_clear(&faults);
}

static void current_take(struct broker *broker, int32_t n, struct span hash, struct span files)
{
    struct process_files list = {0};
    struct faults faults = {0};
    struct process *parsed = NULL;
    struct wire_doc *doc = NULL;
    struct err err;

    memcpy(broker->process.former_hash, broker->process.hash, sizeof broker->process.hash);
    broker->process.former_n = broker->process.n;
    (void)snprintf(broker->process.hash, sizeof broker->process.hash, "%.*s", (int)hash.len, hash.p);
    broker->process.n = n;
    if (!wire_parse(files.p, files.len, WIRE_DEPTH_MAX, &doc, &err) ||
        !process_files_decode(wire_root(doc), &list, &err) || !process_load_files(&list, &parsed, &faults))
        log_event(LOG_ERROR, "process_unreadable", "hash=%.12s",
                  broker->process.hash); /* weights are 1 then; workers judge for themselves */
    current_take_oncall(broker, parsed);
    process_free(broker->process.parsed);
    broker->process.parsed = parsed;
    log_event(LOG_INFO, "process_current", "n=%d hash=%.12s", (int)n, broker->process.hash);
    workers_set_process(broker->workers, broker->process.hash, files);
    faults_clear(&faults);
    process_files_clear(&list);
    wire_doc_free(doc);
}

static void current_on_rows(void *arg, PGresult *rows)
{
    struct broker *broker = arg;
    broker->process.looked = true;
    if (PQntuples(rows) == 0)
        return;
    int32_t n = (int32_t)pg_int(rows, 0, 0);
    if (!pg_is_null(rows, 0, 2))
        current_take(broker, n, pg_span(rows, 0, 1), pg_span(rows, 0, 2));
    broker->process.n = n;
    broker->recompute_due = pg_bool(rows, 0, 3);
}

static const char NEWEST[] = "?"; /* no hash */

/* Who waits for a version to be current here. */
struct process_wait {
    struct process_wait *next;
    char hash[PROCESS_HASH_BYTES]; /* NEWEST: whichever is */
    int looks;                     /* so many that end are waited for: one may have begun too early */
    process_known_fn *fn;
    void *arg;
};

static void process_room_look(struct broker *broker);

static bool wait_is_over(const struct broker *broker, const char *hash)
{
    return hash[0] == '\0' || strcmp(hash, broker->process.hash) == 0;
}

/* All that was waited for goes on, but for what may be seen by another look. */
static void waits_go_on(struct broker *broker, bool looked)
{
    struct process_wait *wait = broker->process.waits, *next;

    broker->process.waits = NULL;
    for (; wait != NULL; wait = next) {
        next = wait->next;
        if (looked && --wait->looks > 0 && !wait_is_over(broker, wait->hash)) {
            wait->next = broker->process.waits;
            broker->process.waits = wait;
            continue;
        }
        wait->fn(wait->arg, looked);
        free(wait);
    }
}

static void current_on_end(void *arg, const struct pg_end *end)
{
    struct broker *broker = arg;

    broker->process.looking = false;
    waits_go_on(broker, end->outcome == PG_OK && pg_is_up(broker->control_pg));
    if (broker->process.waits != NULL)
        process_room_look(broker);
}

/* Asks which version is current, unless that is asked already. */
static void process_room_look(struct broker *broker)
{
    if (!pg_is_up(broker->control_pg) || broker->process.looking)
        return;
    broker->process.looking = true;
    broker->process_checked_us = clock_mono_us();
    pg_params_reset(broker->params);
    pg_put_text(broker->params, broker->process.n == 0 ? NULL : broker->process.hash);
    (void)pg_send(broker->control_pg, C_PROCESS_CURRENT, broker->params, current_on_rows, broker);
    pg_sync(broker->control_pg, current_on_end, broker);
}

static void wait_begin(struct broker *broker, const char *hash, process_known_fn *fn, void *arg)
{
    int looks = broker->process.looking ? 2 : 1;

    process_room_look(broker);
    if (!broker->process.looking) {
        fn(arg, false);
        return;
    }
    struct process_wait *wait = mem_new(1, sizeof *wait);
    *wait = (struct process_wait){.next = broker->process.waits, .looks = looks, .fn = fn, .arg = arg};
    (void)snprintf(wait->hash, sizeof wait->hash, "%s", hash);
    broker->process.waits = wait;
}

void process_room_await(struct broker *broker, const char *hash, process_known_fn *fn, void *arg)
{
    if (wait_is_over(broker, hash))
        fn(arg, true);
    else
        wait_begin(broker, hash, fn, arg);
}

void process_room_await_newest(struct broker *broker, process_known_fn *fn, void *arg)
{
    wait_begin(broker, NEWEST, fn, arg);
}

int64_t process_room_reminder_s(const struct broker *broker)
{
    const struct process *process = broker->process.parsed;
    return process == NULL ? -1 : process->policy.meeting_reminder_s;
}

void process_room_tick(struct broker *broker)
{
    if (clock_mono_us() - broker->process_checked_us >= LOOK_EVERY_MS * US_PER_MS)
        process_room_look(broker);
}

int32_t process_room_number(struct broker *broker, struct span hash, struct span *ret_unseen)
{
    *ret_unseen = SPAN_NONE;
    if (hash.len == 0 || span_is(hash, broker->process.hash))
        return broker->process.n;
    if (broker->process.former_n != 0 && span_is(hash, broker->process.former_hash))
        return broker->process.former_n;
    if (broker->process.n != 0) {
        *ret_unseen = hash;
        process_room_look(broker);
    }
    return broker->process.n;
}

const char *process_room_package_of_unknown(const struct broker *broker)
{
    const struct process *process = broker->process.parsed;

    if (process == NULL)
        return "standard";
    return process->policy.unknown_customer == UNKNOWN_ACCEPT ? process->policy.package : NULL;
}

void process_room_clear(struct broker *broker)
{
    oncall_free(broker->process.oncall);
    process_free(broker->process.parsed);
    broker->process.oncall = NULL;
    broker->process.parsed = NULL;
}

/* ---- whether a new one may be ---- */

struct asking {
    struct broker *broker;
    struct call *call;
    process_room_write_fn *write;
    struct process_files files;
    char hash[PROCESS_HASH_BYTES];
    struct buf errors;   /* lines, each once */
    size_t more;         /* that there is no room for */
    struct buf warnings; /* encoded texts: the loader's; of the first worker that answered, once one did */
    size_t warning_count;
    struct buf untried; /* encoded texts: of each worker that was asked and did not say what it makes of it */
    size_t untried_count;
    bool tried;              /* by a worker, with the cases */
    char silent[TELL_BYTES]; /* the first that died over it or was late; "": none */
};

static void asking_free(struct asking *asking)
{
    process_files_clear(&asking->files);
    buf_clear(&asking->errors);
    buf_clear(&asking->warnings);
    buf_clear(&asking->untried);
    free(asking);
}

/* All that is to be told beside the version, as one list; its bytes are the caller's to free. A part that does not fit is left out. */
static struct span asking_warnings(const struct asking *asking)
{
    const struct buf *parts[] = {&asking->warnings, &asking->untried};
    const size_t counts[] = {asking->warning_count, asking->untried_count};
    struct wire_map list;
    struct buf out;

    buf_init(&out, 2 * ERRORS_BYTES_MAX + REPLY_ROOM_BYTES);
    list = wire_list_open(&out);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!parts[i]->failed && buf_add_span(&out, buf_span(parts[i])))
            list.count += counts[i];
    wire_list_close(&out, &list);
    return buf_take_span(&out);
}

static void asking_write(struct asking *asking, struct call *call)
{
    struct span warnings = asking_warnings(asking);

    asking->write(asking->broker, call, &asking->files, asking->hash, warnings);
    free((void *)(uintptr_t)warnings.p);
}

static void asking_answer_dry(struct asking *asking)
{
    struct span warnings = asking_warnings(asking);
    struct buf out;

    buf_init(&out, warnings.len + REPLY_ROOM_BYTES);
    wire_put_map(&out, 3);
    wire_put_key_text(&out, "hash", asking->hash);
    wire_put_key_bool(&out, "dry_run", true);
    wire_put_text(&out, "warnings");
    wire_put_raw(&out, warnings);
    call_answer(asking->call, buf_span(&out));
    buf_clear(&out);
    free((void *)(uintptr_t)warnings.p);
}

/* err NULL: this was applied before, when nobody objected. */
static void asking_on_known(void *arg, struct call *call, const struct err *err)
{
    struct asking *asking = arg;

    if (err == NULL)
        asking_write(asking, call);
    else if (err->code == ERR_INVALID && asking->errors.len != 0)
        call_refuse_long(call, err, buf_span(&asking->errors));
    else
        call_refuse(call, err);
    asking_free(asking);
}

/* What would be refused by now may have been applied before. A dry run has no key. */
static void asking_refuse(struct asking *asking, const struct err *err)
{
    if (request_bool(&asking->call->req, F_DRY_RUN, false))
        asking_on_known(asking, asking->call, err);
    else
        key_known_or(asking->broker, asking->call, err, asking_on_known, asking);
}

/* Nobody objected; but whoever would have tried it is silent, and what only a worker finds must not become current for that. */
static bool asking_is_untried(const struct asking *asking, struct err *err)
{
    return !asking->tried && asking->silent[0] != '\0' &&
           !err_set(err, ERR_UNAVAILABLE,
                    "no worker has tried this version: %s. Nothing was changed; ask again", asking->silent);
}

static void asking_end(struct asking *asking)
{
    char more[40] = "";
    struct err err;

    if (asking->errors.len != 0) {
        (void)err_field(&err, ERR_INVALID, "files", "%.900s", buf_text(&asking->errors));
        if (asking->more > 0)
            (void)snprintf(more, sizeof more, "\n… and %zu more", asking->more);
        (void)buf_add_text(&asking->errors, more);
        asking_refuse(asking, &err);
        return;
    }
    if (asking_is_untried(asking, &err)) {
        asking_refuse(asking, &err);
        return;
    }
    if (request_bool(&asking->call->req, F_DRY_RUN, false))
        asking_answer_dry(asking);
    else
        asking_write(asking, asking->call);
    asking_free(asking);
}

/* Workers find the same: each line is told once. */
static void asking_add(struct asking *asking, struct span line)
{
    enum { TAIL_BYTES = 40 }; /* room for the line that counts the rest */
    struct buf *errors = &asking->errors;
    size_t at = 0;

    while (at < errors->len) {
        const char *from = errors->p + at, *stop = memchr(from, '\n', errors->len - at);
        struct span old = {from, stop == NULL ? errors->len - at : (size_t)(stop - from)};
        if (span_equal(old, line))
            return;
        at += old.len + 1;
    }
    if (errors->len + line.len + 1 > ERRORS_BYTES_MAX - TAIL_BYTES) {
        asking->more++;
        return;
    }
    (void)buf_add_text(errors, errors->len == 0 ? "" : "\n");
    (void)buf_add_span(errors, line);
}

static void asking_add_untried(struct asking *asking, const char *text)
{
    wire_put_text(&asking->untried, text);
    asking->untried_count++;
}

/* A worker that died or is late has not refused: it gets the version when it is back, and refuses then. */
static void asking_on_silence(struct asking *asking, const struct workers_answer *answer)
{
    bool late = strcmp(answer->code, "timeout") == 0, gone = strcmp(answer->code, "unavailable") == 0;
    char text[TELL_BYTES];

    if (late)
        (void)snprintf(text, sizeof text,
                       "worker %.60s did not answer within %d s (busy, or the cases take longer)",
                       answer->worker, ASK_TIMEOUT_MS / 1000);
    else if (gone)
        (void)snprintf(text, sizeof text, "worker %.60s died or left when it was asked", answer->worker);
    else
        (void)snprintf(text, sizeof text, "worker %.60s cannot try a version: %.200s", answer->worker,
                       answer->message);
    if ((late || gone) && asking->silent[0] == '\0')
        (void)snprintf(asking->silent, sizeof asking->silent, "%s", text);
    asking_add_untried(asking, text);
}

static void asking_on_answer(void *arg, const struct workers_answer *answer)
{
    struct asking *asking = arg;
    const struct wire_val *errors = wire_find(answer->result, "errors");
    struct span text;

    if (answer->code != NULL)
        asking_on_silence(asking, answer);
    for (size_t i = 0; i < wire_count(errors); i++)
        if (wire_get_str(wire_at(errors, i), &text))
            asking_add(asking, text);
    const struct wire_val *warnings = wire_find(answer->result, "warnings");
    if (!asking->tried && wire_type(warnings) == WIRE_LIST) {
        buf_reset(&asking->warnings);
        asking->warning_count = wire_count(warnings);
        for (size_t i = 0; i < wire_count(warnings); i++)
            wire_put_val(&asking->warnings, wire_at(warnings, i));
    }
    asking->tried = asking->tried || answer->code == NULL;
    if (answer->left == 0)
        asking_end(asking);
}

/* The loader, and the schedules' zones and files: a version whose people could not be called is refused. */
static bool asking_load(const struct process_files *files, struct process **ret, struct faults *faults)
{
    struct oncall *oncall = NULL;
    bool ok = process_load_new(files, ret, faults) && oncall_new(*ret, ONCALL_ZONEINFO, &oncall, faults);

    if (ok)
        oncall_take_warnings(oncall, &(*ret)->warnings);
    oncall_free(oncall);
    return ok;
}

void process_room_check(struct broker *broker, struct call *call, process_room_write_fn *write)
{
    struct asking *asking = mem_new(1, sizeof *asking);
    struct faults faults = {0};
    struct process *parsed = NULL;
    struct err err = {0};
    struct buf body;

    asking->broker = broker;
    asking->call = call;
    asking->write = write;
    buf_init(&asking->errors, ERRORS_BYTES_MAX);
    buf_init(&asking->warnings, ERRORS_BYTES_MAX);
    buf_init(&asking->untried, ERRORS_BYTES_MAX);
    if (!process_files_decode(call->req.vals[F_FILES], &asking->files, &err)) {
        call_refuse(call, &err);
        asking_free(asking);
        return;
    }
    process_files_hash(&asking->files, asking->hash);
    bool ok = asking_load(&asking->files, &parsed, &faults);
    if (!ok) {
        (void)faults_to_err(&faults, ERR_INVALID, &err);
        (void)snprintf(err.field, sizeof err.field, "files");
        faults_format(&faults, &asking->errors);
    }
    faults_clear(&faults);
    for (size_t i = 0; ok && i < parsed->warnings.count; i++, asking->warning_count++)
        wire_put_text(&asking->warnings, parsed->warnings.items[i].text);
    process_free(parsed);
    if (!ok) {
        asking_refuse(asking, &err);
        return;
    }
    buf_init(&body, BODY_BYTES_MAX);
    wire_put_map(&body, 2);
    wire_put_key_text(&body, "hash", asking->hash);
    wire_put_text(&body, "files");
    process_files_encode(&asking->files, &body);
    bool asked = workers_ask(broker->workers, "check", buf_span(&body), true, ASK_TIMEOUT_MS * US_PER_MS,
                             asking_on_answer, asking, &err);
    buf_clear(&body);
    if (asked)
        return;
    /* A desk may be set up before its workers run: what the loader here finds is all that can be known now. */
    asking_add_untried(
        asking,
        "no worker is connected: whether the calendars can be laid out and the cases in tests/ are of "
        "their form was not tried");
    asking_end(asking);
}
