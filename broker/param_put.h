/* What a request says or leaves out, as parameters of a statement: NULL where it says nothing. */
#ifndef DOCKET_PARAM_PUT_H
#define DOCKET_PARAM_PUT_H

#include "pg.h"
#include "request.h"

#include <stdint.h>

void param_put_int8(struct pg_params *params, const struct request *req, enum field field);
void param_put_int4(struct pg_params *params, const struct request *req, enum field field);
void param_put_int2(struct pg_params *params, const struct request *req, enum field field);

/* A field that is a list, as an array of text; what is no text in it is left out. */
void param_put_texts(struct pg_params *params, const struct request *req, enum field field);

/* 0: NULL. */
void param_put_int8_not_0(struct pg_params *params, int64_t value);
void param_put_int4_not_0(struct pg_params *params, int32_t value);
void param_put_int2_not_0(struct pg_params *params, int16_t value);

/* Numbers from 0, a bit each, as an array of int2. */
void param_put_bits(struct pg_params *params, unsigned bits);

#endif
