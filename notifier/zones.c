/* Time zones by name; see zones.h. */
#include "zones.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct entry {
    char name[ZONE_NAME_MAX + 1];
    struct zone *zone; /* NULL: there is none */
    UT_hash_handle hh;
};

struct zones {
    char *dir;
    struct entry *entries;
};

struct zones *zones_new(const char *dir)
{
    struct zones *zones = mem_new(1, sizeof *zones);
    zones->dir = mem_strdup(dir);
    return zones;
}

static void zones_forget(struct zones *zones)
{
    struct entry *entry, *next;
    HASH_ITER(hh, zones->entries, entry, next)
    {
        HASH_DEL(zones->entries, entry);
        zone_free(entry->zone);
        free(entry);
    }
}

void zones_free(struct zones *zones)
{
    if (zones == NULL)
        return;
    zones_forget(zones);
    free(zones->dir);
    free(zones);
}

const struct zone *zones_find(struct zones *zones, struct span name)
{
    char text[ZONE_NAME_MAX + 1];
    struct entry *entry;
    struct err ignored;

    if (name.len == 0 || name.len > ZONE_NAME_MAX)
        return NULL;
    (void)snprintf(text, sizeof text, "%.*s", (int)name.len, name.p);
    HASH_FIND_STR(zones->entries, text, entry);
    if (entry != NULL)
        return entry->zone;
    if (HASH_COUNT(zones->entries) >= ZONES_MAX) /* only hostile names get here */
        zones_forget(zones);
    entry = mem_new(1, sizeof *entry);
    memcpy(entry->name, text, sizeof text);
    if (!zone_name_check(text, &ignored) || !zone_open(zones->dir, text, &entry->zone, &ignored))
        entry->zone = NULL;
    HASH_ADD_STR(zones->entries, name, entry);
    return entry->zone;
}
