/* Keys of imported lines; see cli_import.h. */
#include "cli_import.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

struct import_count {
    unsigned char digest[16];
    uint32_t count; /* 0: free */
};

static struct import_count *seen_place(struct import_count *counts, size_t size, const unsigned char *digest)
{
    uint64_t hash;

    memcpy(&hash, digest, sizeof hash);
    for (size_t i = hash & (size - 1);; i = (i + 1) & (size - 1))
        if (counts[i].count == 0 || memcmp(counts[i].digest, digest, sizeof counts[i].digest) == 0)
            return &counts[i];
}

static void seen_grow(struct import_seen *seen)
{
    size_t size = seen->size == 0 ? 1024 : seen->size * 2;
    struct import_count *counts = mem_new(size, sizeof *counts);

    for (size_t i = 0; i < seen->size; i++)
        if (seen->counts[i].count != 0)
            *seen_place(counts, size, seen->counts[i].digest) = seen->counts[i];
    free(seen->counts);
    seen->counts = counts;
    seen->size = size;
}

/* How many equal ones came before; counts this one. */
static uint32_t seen_add(struct import_seen *seen, const unsigned char *digest)
{
    if (seen->used * 2 >= seen->size)
        seen_grow(seen);
    struct import_count *place = seen_place(seen->counts, seen->size, digest);
    if (place->count == 0) {
        memcpy(place->digest, digest, sizeof place->digest);
        seen->used++;
    }
    return place->count++;
}

void import_seen_clear(struct import_seen *seen)
{
    free(seen->counts);
    *seen = (struct import_seen){0};
}

void import_key(struct import_seen *seen, const struct wire_val *body, char *ret)
{
    unsigned char digest[16], both[20], key[16];
    struct buf canonical;

    buf_init(&canonical, (size_t)64 * 1024 * 1024);
    wire_put_canonical(&canonical, body);
    (void)crypto_generichash(digest, sizeof digest, (const unsigned char *)buf_text(&canonical),
                             canonical.len, NULL, 0);
    buf_clear(&canonical);
    uint32_t before = seen_add(seen, digest);
    memcpy(both, digest, sizeof digest);
    for (size_t i = 0; i < 4; i++)
        both[16 + i] = (unsigned char)(before >> (8 * i));
    (void)crypto_generichash(key, sizeof key, both, sizeof both, NULL, 0);
    memcpy(ret, "import-", 7);
    (void)sodium_bin2hex(ret + 7, IMPORT_KEY_BYTES - 7, key, sizeof key);
}
