/* What a request says or leaves out, as parameters; see param_put.h. */
#include "param_put.h"

void param_put_int8(struct pg_params *params, const struct request *req, enum field field)
{
    if (request_has(req, field))
        pg_put_int8(params, request_int(req, field, 0));
    else
        pg_put_null(params);
}

void param_put_int4(struct pg_params *params, const struct request *req, enum field field)
{
    if (request_has(req, field))
        pg_put_int4(params, (int32_t)request_int(req, field, 0));
    else
        pg_put_null(params);
}

void param_put_int2(struct pg_params *params, const struct request *req, enum field field)
{
    if (request_has(req, field))
        pg_put_int2(params, (int16_t)request_int(req, field, 0));
    else
        pg_put_null(params);
}

void param_put_texts(struct pg_params *params, const struct wire_val *list)
{
    struct span text;

    pg_array_open(params, PG_TEXT);
    for (size_t i = 0; i < wire_count(list); i++)
        if (wire_get_str(wire_at(list, i), &text))
            pg_array_bytes(params, text);
    pg_array_close(params);
}

void param_put_texts_or_null(struct pg_params *params, const struct wire_val *list)
{
    if (list != NULL)
        param_put_texts(params, list);
    else
        pg_put_null(params);
}

void param_put_int8_not_0(struct pg_params *params, int64_t value)
{
    if (value != 0)
        pg_put_int8(params, value);
    else
        pg_put_null(params);
}

void param_put_int4_not_0(struct pg_params *params, int32_t value)
{
    if (value != 0)
        pg_put_int4(params, value);
    else
        pg_put_null(params);
}

void param_put_int2_not_0(struct pg_params *params, int16_t value)
{
    if (value != 0)
        pg_put_int2(params, value);
    else
        pg_put_null(params);
}

void param_put_states(struct pg_params *params, enum states_op op)
{
    int16_t next[STATES];

    states_row(op, next);
    pg_array_open(params, PG_INT2);
    for (int i = 0; i < STATES; i++)
        pg_array_int(params, next[i]);
    pg_array_close(params);
}

void param_put_bits(struct pg_params *params, unsigned bits)
{
    if (bits == 0) {
        pg_put_null(params);
        return;
    }
    pg_array_open(params, PG_INT2);
    for (int i = 0; bits != 0; i++, bits >>= 1)
        if ((bits & 1u) != 0)
            pg_array_int(params, i);
    pg_array_close(params);
}
