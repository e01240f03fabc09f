/* Binary parameters of a statement, and reading binary rows; see pg.h. Knows no connection. */
#include "pg_internal.h"

#include "mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMS_BYTES_MAX = 256 << 20, ARRAY_HEAD_BYTES = 20, ARRAY_EMPTY_BYTES = 12 };

/* Object ids of PostgreSQL's pg_type.dat; they never change. */
static const struct {
    uint32_t oid;
    uint32_t width; /* 0: as long as it is */
} pg_types[] = {
    [PG_INT8] = {20, 8}, [PG_INT4] = {23, 4}, [PG_INT2] = {21, 2},
    [PG_BOOL] = {16, 1}, [PG_TEXT] = {25, 0}, [PG_BYTEA] = {17, 0},
};

struct pg_params *pg_params_new(void)
{
    struct pg_params *params = mem_new(1, sizeof *params);
    buf_init(&params->data, PARAMS_BYTES_MAX);
    return params;
}

void pg_params_free(struct pg_params *params)
{
    if (params == NULL)
        return;
    buf_clear(&params->data);
    free(params);
}

void pg_params_reset(struct pg_params *params)
{
    buf_reset(&params->data);
    params->count = 0;
}

static void write_be(char *to, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        to[i] = (char)(value >> (8 * (width - 1 - i)));
}

static void params_add_be(struct buf *data, uint64_t value, size_t width)
{
    char *to = buf_extend(data, width);
    if (to != NULL)
        write_be(to, value, width);
}

/* Opens the next parameter at the end of the data. */
static struct pg_param *params_next(struct pg_params *params)
{
    assert(params->count < PG_PARAMS_MAX);
    struct pg_param *param = &params->items[params->count++];
    *param = (struct pg_param){.at = params->data.len};
    return param;
}

static void params_put_number(struct pg_params *params, uint64_t value, size_t width)
{
    params_next(params)->len = (int)width;
    params_add_be(&params->data, value, width);
}

void pg_put_null(struct pg_params *params)
{
    params_next(params)->is_null = true;
}

void pg_put_int8(struct pg_params *params, int64_t value)
{
    params_put_number(params, (uint64_t)value, 8);
}

void pg_put_int4(struct pg_params *params, int32_t value)
{
    params_put_number(params, (uint32_t)value, 4);
}

void pg_put_int2(struct pg_params *params, int16_t value)
{
    params_put_number(params, (uint16_t)value, 2);
}

void pg_put_bool(struct pg_params *params, bool value)
{
    params_put_number(params, value ? 1 : 0, 1);
}

void pg_put_bytes(struct pg_params *params, struct span bytes)
{
    struct pg_param *param = params_next(params);
    param->is_null = bytes.p == NULL;
    param->len = (int)bytes.len;
    (void)buf_add_span(&params->data, bytes);
}

void pg_put_text(struct pg_params *params, const char *text)
{
    pg_put_bytes(params, span_of(text));
}

void pg_array_open(struct pg_params *params, enum pg_type type)
{
    static const unsigned char room[ARRAY_HEAD_BYTES];
    (void)params_next(params);
    params->array_type = type;
    params->array_count = 0;
    params->array_has_null = false;
    (void)buf_add(&params->data, room, sizeof room);
}

void pg_array_null(struct pg_params *params)
{
    params_add_be(&params->data, UINT32_MAX, 4);
    params->array_has_null = true;
    params->array_count++;
}

/* An item's length and room for it; NULL: the parameters grew beyond all limits. */
static char *array_item(struct pg_params *params, size_t len)
{
    char *to = buf_extend(&params->data, 4 + len);

    params->array_count++;
    if (to == NULL)
        return NULL;
    write_be(to, len, 4);
    return to + 4;
}

void pg_array_int(struct pg_params *params, int64_t value)
{
    size_t width = pg_types[params->array_type].width;
    char *to = array_item(params, width);
    if (to != NULL)
        write_be(to, (uint64_t)value, width);
}

void pg_array_bytes(struct pg_params *params, struct span bytes)
{
    if (bytes.p == NULL) {
        pg_array_null(params);
        return;
    }
    char *to = array_item(params, bytes.len);
    if (to != NULL)
        memcpy(to, bytes.p, bytes.len);
}

/* The head: dimensions, has-null flag, element type, then count and lower bound; an empty array has no
 * dimension. */
void pg_array_close(struct pg_params *params)
{
    struct pg_param *param = &params->items[params->count - 1];
    bool empty = params->array_count == 0;
    const uint32_t head[] = {htonl(empty ? 0 : 1), htonl(params->array_has_null ? 1 : 0),
                             htonl(pg_types[params->array_type].oid), htonl((uint32_t)params->array_count),
                             htonl(1)};

    if (params->data.failed)
        return;
    if (empty)
        params->data.len = param->at + ARRAY_EMPTY_BYTES;
    memcpy(params->data.p + param->at, head, empty ? ARRAY_EMPTY_BYTES : ARRAY_HEAD_BYTES);
    param->len = (int)(params->data.len - param->at);
}

/* ---- rows ---- */

int64_t pg_int(const PGresult *rows, int row, int column)
{
    const unsigned char *p = (const unsigned char *)PQgetvalue(rows, row, column);
    int len = PQgetlength(rows, row, column);

    if (len <= 0 || PQgetisnull(rows, row, column))
        return 0;
    uint64_t value = (p[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (int i = 0; i < len; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

bool pg_bool(const PGresult *rows, int row, int column)
{
    return !PQgetisnull(rows, row, column) && PQgetvalue(rows, row, column)[0] != 0;
}

struct span pg_span(const PGresult *rows, int row, int column)
{
    if (PQgetisnull(rows, row, column))
        return SPAN_NONE;
    return (struct span){PQgetvalue(rows, row, column), (size_t)PQgetlength(rows, row, column)};
}

char *pg_text(const PGresult *rows, int row, int column)
{
    struct span text = pg_span(rows, row, column);
    return text.p == NULL ? NULL : mem_strndup(text.p, text.len);
}

bool pg_is_null(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) != 0;
}

/* ---- SQLSTATE ---- */

static const struct {
    const char *prefix; /* a whole code or a class; the first row that fits counts */
    enum pg_remedy remedy;
} remedies[] = {
    {"40001", PG_REPEAT},    /* serialization_failure */
    {"40P01", PG_REPEAT},    /* deadlock_detected */
    {"0A000", PG_PREPARE},   /* cached plan must not change result type: after a migration */
    {"26000", PG_PREPARE},   /* prepared statement does not exist: a pooler in between */
    {"55P03", PG_SPLIT},     /* lock_not_available: another session holds that row */
    {"57P01", PG_RECONNECT}, /* admin_shutdown */
    {"57P02", PG_RECONNECT}, /* crash_shutdown */
    {"57P03", PG_RECONNECT}, /* cannot_connect_now */
    {"25006", PG_RECONNECT}, /* read_only_sql_transaction: a standby */
    {"53100", PG_WAIT},      /* disk_full */
    {"53", PG_WAIT},         /* out of memory, too many connections */
    {"54", PG_SPLIT},        /* program_limit_exceeded: an index row too large */
    {"08", PG_RECONNECT},    /* connection exceptions */
    {"22", PG_SPLIT},        /* data exceptions: 22P05, 22021, … */
    {"23", PG_SPLIT},        /* constraints: 23505 doubled key, … */
    {"58", PG_WAIT},         /* system errors: I/O */
    {"57", PG_RECONNECT},    /* operator intervention */
};

enum pg_remedy pg_remedy(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strncmp(sqlstate, remedies[i].prefix, strlen(remedies[i].prefix)) == 0)
            return remedies[i].remedy;
    return PG_BUG;
}

bool pg_is_held(const char *sqlstate)
{
    return strcmp(sqlstate, "55P03") == 0; /* lock_not_available */
}

bool pg_end_is_passing(const struct pg_end *end)
{
    if (end->outcome != PG_FAILED)
        return false;
    enum pg_remedy remedy = pg_remedy(end->sqlstate);
    return remedy == PG_REPEAT || remedy == PG_WAIT || pg_is_held(end->sqlstate);
}
