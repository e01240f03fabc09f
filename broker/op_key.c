/* The key of an op; see op_key.h. */
#include "op_key.h"

#include <string.h>

#include <sodium.h>

enum { DIGEST_BYTES = 16 };

void op_key_begin(struct op_key *key)
{
    *key = (struct op_key){0};
    randombytes_buf(&key->request, sizeof key->request);
}

void op_key_put(const struct op_key *key, const unsigned char key_digest[16],
                const unsigned char content_digest[16], struct pg_params *params)
{
    pg_put_bytes(params, (struct span){(const char *)key_digest, DIGEST_BYTES});
    pg_put_bytes(params, (struct span){(const char *)content_digest, DIGEST_BYTES});
    pg_put_int8(params, key->request);
}

void op_key_read(struct op_key *key, const PGresult *rows, int taken, int content, int request,
                 const unsigned char content_digest[16])
{
    struct span was = pg_span(rows, 0, content);

    key->taken = pg_bool(rows, 0, taken);
    key->is_there = was.p != NULL;
    key->same = was.len == DIGEST_BYTES && memcmp(was.p, content_digest, DIGEST_BYTES) == 0;
    key->ours = pg_int(rows, 0, request) == key->request;
}

bool op_key_check(const struct op_key *key, struct err *err)
{
    if (!key->taken && (!key->is_there || key->same))
        return true;
    return err_field(err, ERR_CONFLICT, "key", "key: it was used before with another op or other content");
}

bool op_key_is_duplicate(const struct op_key *key)
{
    return key->is_there && !key->ours;
}
