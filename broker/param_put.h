/* What a request says or leaves out, as parameters of a statement: NULL where it says nothing. */
#ifndef DOCKET_PARAM_PUT_H
#define DOCKET_PARAM_PUT_H

#include "pg.h"
#include "request.h"
#include "states.h"

#include <stdint.h>

void param_put_int8(struct pg_params *params, const struct request *req, enum field field);
void param_put_int4(struct pg_params *params, const struct request *req, enum field field);
void param_put_int2(struct pg_params *params, const struct request *req, enum field field);

/* A list as an array of text; what is no text in it is left out. No list (NULL) is an empty one, or NULL. */
void param_put_texts(struct pg_params *params, const struct wire_val *list);
void param_put_texts_or_null(struct pg_params *params, const struct wire_val *list);

/* 0: NULL. */
void param_put_int8_not_0(struct pg_params *params, int64_t value);
void param_put_int4_not_0(struct pg_params *params, int32_t value);
void param_put_int2_not_0(struct pg_params *params, int16_t value);

/* Where an op leads from each state, as an array of int2 (states.h: states_row). */
void param_put_states(struct pg_params *params, enum states_op op);

/* Numbers from 0, a bit each, as an array of int2; no bit: NULL. */
void param_put_bits(struct pg_params *params, unsigned bits);

#endif
