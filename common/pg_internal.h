/* What pg.c and pg_params.c share. */
#ifndef DOCKET_PG_INTERNAL_H
#define DOCKET_PG_INTERNAL_H

#include "buf.h"
#include "pg.h"

enum { PG_PARAMS_MAX = 64 };

struct pg_param {
    size_t at; /* in data */
    int len;
    bool is_null;
};

struct pg_params {
    struct buf data;
    struct pg_param items[PG_PARAMS_MAX];
    int count;
    enum pg_type array_type; /* of the array that is open */
    size_t array_count;
    bool array_has_null;
};

#endif
