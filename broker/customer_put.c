/* customer.put; see customer_put.h. */
#include "customer_put.h"
#include "broker.h"
#include "calls.h"
#include "key_known.h"
#include "mem.h"
#include "move.h"
#include "op_unit.h"
#include "pg.h"
#include "process.h"
#include "process_room.h"
#include "statements.h"
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORD_BYTES_MAX = 256 << 10 };

struct put {
    struct op_unit op;
    struct span record; /* encoded; owned */
};

/* Whether this machine has the zone of that name. */
static bool zone_is_there(const char *name, struct err *err)
{
    struct zone *zone = NULL;

    if (!zone_open("/usr/share/zoneinfo", name, &zone, err))
        return false;
    zone_free(zone);
    return true;
}

/* A mistyped zone would be found by the first customer who is told times in another one. Where no zones are installed nothing is known. */
bool customer_put_check(const struct request *req, struct err *err)
{
    struct span text = wire_find_str(req->vals[F_CUSTOMER_RECORD], "zone");
    char name[ZONE_NAME_MAX + 1];
    struct err ignored;

    (void)snprintf(name, sizeof name, "%.*s", (int)text.len, text.p == NULL ? "" : text.p);
    if (text.p == NULL || zone_is_there(name, &ignored) || !zone_is_there("UTC", &ignored))
        return true;
    return err_field(err, ERR_INVALID, "customer.zone",
                     "customer.zone: there is no time zone \"%s\" here: want one as Europe/Berlin", name);
}

static void put_on_rows(void *arg, PGresult *rows)
{
    struct put *put = arg;
    op_unit_read_key(&put->op, rows, 1, 2, 3);
}

static void put_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct put *put = (struct put *)unit;
    const struct wire_val *record = put->op.call->req.vals[F_CUSTOMER_RECORD];

    op_unit_put_key(&put->op, params);
    pg_put_bytes(params, wire_find_str(record, "id"));
    pg_put_bytes(params, wire_find_str(record, "name"));
    pg_put_bytes(params, wire_find_str(record, "package"));
    pg_put_bytes(params, put->record);
    if (request_bool(&put->op.call->req, F_OPEN_TICKETS, false))
        pg_put_int8(params, put->op.broker->epoch);
    else
        pg_put_null(params);
    pg_put_int2(params, (int16_t)put->op.call->req.role);
    pg_put_text(params, put->op.call->req.actor);
    (void)pg_send(pg, W_CUSTOMER_PUT, params, put_on_rows, put);
}

/* The languages of a record that nobody is told in. */
static void put_locale(const struct process *process, const struct wire_val *map, const char *path,
                       struct wire_map *list, struct buf *out)
{
    struct span locale = wire_find_str(map, "locale");
    char text[200];

    if (locale.len == 0 || process_speaks(process, locale))
        return;
    (void)snprintf(text, sizeof text, "%slocale: there are no templates in \"%.*s\": English is used", path,
                   (int)locale.len, locale.p);
    wire_put_text(out, text);
    list->count++;
}

bool customer_put_warnings(const struct broker *broker, const struct request *req, struct buf *out)
{
    const struct wire_val *record = req->vals[F_CUSTOMER_RECORD], *contacts = wire_find(record, "contacts");
    const struct process *process = broker->process.parsed;
    size_t before = out->len;
    char path[60];

    if (process == NULL)
        return false;
    wire_put_text(out, "warnings");
    struct wire_map list = wire_list_open(out);
    put_locale(process, record, "customer.", &list, out);
    for (size_t i = 0; i < wire_count(contacts); i++) {
        (void)snprintf(path, sizeof path, "customer.contacts[%zu].", i);
        put_locale(process, wire_at(contacts, i), path, &list, out);
    }
    wire_list_close(out, &list);
    if (list.count == 0)
        out->len = before;
    return list.count != 0;
}

static void put_answer(struct put *put)
{
    const struct request *req = &put->op.call->req;
    struct buf out;

    buf_init(&out, RECORD_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    wire_put_key_str(&out, "customer", wire_find_str(req->vals[F_CUSTOMER_RECORD], "id")), map.count++;
    wire_put_key_bool(&out, "duplicate", op_key_is_duplicate(&put->op.key)), map.count++;
    map.count += customer_put_warnings(put->op.broker, req, &out);
    wire_map_close(&out, &map);
    call_answer(put->op.call, buf_span(&out));
    buf_clear(&out);
}

static void put_done(struct unit *unit, const struct err *err)
{
    struct put *put = (struct put *)unit;

    if (err != NULL)
        call_refuse(put->op.call, err);
    else if (op_unit_conflicts(&put->op))
        ; /* answered */
    else if (request_bool(&put->op.call->req, F_OPEN_TICKETS, false))
        move_open_tickets(put->op.broker, put->op.call, op_key_is_duplicate(&put->op.key));
    else
        put_answer(put);
    free((void *)(uintptr_t)put->record.p);
    free(put);
}

static void put_begin(struct broker *broker, struct call *call)
{
    static const struct unit_type type = {.group = GROUP_SINGLE,
                                          .repeatable = true,
                                          .send = put_send,
                                          .done = put_done};
    struct put *put = mem_new(1, sizeof *put);
    struct buf out;

    buf_init(&out, RECORD_BYTES_MAX);
    wire_put_val(&out, call->req.vals[F_CUSTOMER_RECORD]);
    put->record.p = buf_take(&out, &put->record.len);
    op_unit_start(&put->op, &type, broker, call);
}

/* A package that there was when the record was put first. */
static void put_on_known(void *arg, struct call *call, const struct err *err)
{
    if (err != NULL)
        call_refuse(call, err);
    else
        put_begin(arg, call);
}

struct asked {
    struct broker *broker;
    struct call *call;
};

static bool package_is_known(const struct asked *asked)
{
    const struct process *process = asked->broker->process.parsed;
    return process == NULL ||
           process_package_known(process, wire_find_str(asked->call->req.vals[F_CUSTOMER_RECORD], "package"));
}

/* A process.apply that was answered a moment ago, here or by another broker, may have brought the package. */
static void put_on_newest(void *arg, bool known)
{
    struct asked asked = *(struct asked *)arg;
    struct span package = wire_find_str(asked.call->req.vals[F_CUSTOMER_RECORD], "package");
    struct err err;

    (void)known;
    free(arg);
    if (package_is_known(&asked)) {
        put_begin(asked.broker, asked.call);
        return;
    }
    (void)err_field(&err, ERR_INVALID, "customer.package",
                    "customer.package: the current process has no package \"%.*s\"", (int)package.len,
                    package.p);
    key_known_or(asked.broker, asked.call, &err, put_on_known, asked.broker);
}

void customer_put(struct broker *broker, struct call *call)
{
    struct asked asked = {broker, call};

    if (package_is_known(&asked))
        put_begin(broker, call);
    else
        process_room_await_newest(broker, put_on_newest, mem_dup(&asked, sizeof asked));
}
