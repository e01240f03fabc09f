/* The messages of a ticket; see read_messages.h. */
#include "read_messages.h"

#include <stdbool.h>
#include <stdint.h>

#include "pg.h"
#include "row_put.h"
#include "wire.h"
#include "words.h"

/* Columns of read_messages.sql. */
enum column {
    M_VERSION,
    M_AUDIENCE,
    M_KIND,
    M_GENERATION,
    M_STATE,
    M_CREATED_AT,
    M_REASON,
    M_DELIVERY,
    M_CHANNEL,
    M_RECIPIENT,
    M_ADDRESS,
    M_DELIVERY_STATE,
    M_ATTEMPTS,
    M_NEXT_AT,
    M_ENDED_AT,
    M_MESSAGE_ID,
    M_DELIVERY_REASON,
    M_REPLY,
    M_N,
    M_STARTED_AT,
    M_ATTEMPT_ENDED_AT,
    M_RESULT,
    M_ATTEMPT_REPLY
};

/* An attempt that has begun and has no result: nobody knows whether it arrived. */
static void put_attempt(struct buf *out, const PGresult *rows, int row)
{
    wire_put_map(out, 5);
    wire_put_key_int(out, "n", pg_int(rows, row, M_N));
    wire_put_key_int(out, "started_at", pg_int(rows, row, M_STARTED_AT));
    row_put_int(out, "ended_at", rows, row, M_ATTEMPT_ENDED_AT);
    row_put_text(out, "result", rows, row, M_RESULT);
    row_put_text(out, "reply", rows, row, M_ATTEMPT_REPLY);
}

/* Puts the delivery that begins at row; gives the first row behind it. */
static int put_delivery(struct buf *out, const PGresult *rows, int row, int until)
{
    int64_t id = pg_int(rows, row, M_DELIVERY);

    wire_put_map(out, 11);
    row_put_text(out, "channel", rows, row, M_CHANNEL);
    row_put_text(out, "recipient", rows, row, M_RECIPIENT);
    row_put_text(out, "address", rows, row, M_ADDRESS);
    wire_put_key_text(out, "state", words_name(&words_delivery_states, pg_int(rows, row, M_DELIVERY_STATE)));
    wire_put_key_int(out, "attempts", pg_int(rows, row, M_ATTEMPTS));
    row_put_int(out, "next_at", rows, row, M_NEXT_AT);
    row_put_int(out, "ended_at", rows, row, M_ENDED_AT);
    row_put_text(out, "message_id", rows, row, M_MESSAGE_ID);
    row_put_text(out, "reason", rows, row, M_DELIVERY_REASON);
    row_put_text(out, "reply", rows, row, M_REPLY);
    wire_put_text(out, "history");
    struct wire_map list = wire_list_open(out);
    while (row < until && pg_int(rows, row, M_DELIVERY) == id) {
        if (!pg_is_null(rows, row, M_N))
            put_attempt(out, rows, row), list.count++;
        row++;
    }
    wire_list_close(out, &list);
    return row;
}

static bool is_same_message(const PGresult *rows, int a, int b)
{
    return pg_int(rows, a, M_VERSION) == pg_int(rows, b, M_VERSION) &&
           pg_int(rows, a, M_AUDIENCE) == pg_int(rows, b, M_AUDIENCE) &&
           pg_int(rows, a, M_GENERATION) == pg_int(rows, b, M_GENERATION) &&
           span_equal(pg_span(rows, a, M_KIND), pg_span(rows, b, M_KIND));
}

static void put_message(struct buf *out, const PGresult *rows, int row, int until)
{
    wire_put_map(out, 8);
    wire_put_key_int(out, "version", pg_int(rows, row, M_VERSION));
    wire_put_key_text(out, "to", words_name(&words_audiences, pg_int(rows, row, M_AUDIENCE)));
    row_put_text(out, "kind", rows, row, M_KIND);
    wire_put_key_int(out, "generation", pg_int(rows, row, M_GENERATION));
    wire_put_key_text(out, "state", words_name(&words_message_states, pg_int(rows, row, M_STATE)));
    wire_put_key_int(out, "created_at", pg_int(rows, row, M_CREATED_AT));
    row_put_text(out, "reason", rows, row, M_REASON);
    wire_put_text(out, "deliveries");
    struct wire_map list = wire_list_open(out);
    while (row < until && !pg_is_null(rows, row, M_DELIVERY)) {
        row = put_delivery(out, rows, row, until);
        list.count++;
    }
    wire_list_close(out, &list);
}

void read_messages_put(struct buf *out, const PGresult *rows)
{
    int count = PQntuples(rows);
    struct wire_map list = wire_list_open(out);

    for (int from = 0, until; from < count; from = until) {
        until = from + 1;
        while (until < count && is_same_message(rows, from, until))
            until++;
        put_message(out, rows, from, until);
        list.count++;
    }
    wire_list_close(out, &list);
}
