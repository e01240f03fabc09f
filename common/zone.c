/* Time zones; see zone.h. Every length is checked against the bytes that are there before it is used. */
#include "zone.h"

#include "date.h"

#include "mem.h"
#include "zone_rule.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 44,
    TYPE_BYTES = 6,
    OFFSET_S_MAX = 26 * 3600, /* RFC 8536: less than 26 hours */
    FIRST_RULE_YEAR = 1969,   /* for a zone that is nothing but a rule */
    RULE_YEAR_MIN = -300      /* which no rule is followed before */
};

#define LAST_CHANGE_S_MAX (INT64_C(1) << 40)
#define LAST_CHANGE_S_MIN (-(INT64_C(1) << 36)) /* in the year -208 */

struct zone {
    size_t count;
    int64_t *start_s; /* start_s[0] is INT64_MIN */
    int32_t *offset_s;
};

/* The counts of one block's head, in the order of the file. */
struct head {
    uint32_t isut, isstd, leap, time, type, chars;
};

struct bytes {
    const unsigned char *p;
    size_t left;
};

/* ---- bytes ---- */

static bool bytes_skip(struct bytes *b, uint64_t n)
{
    if (n > b->left)
        return false;
    b->p += n;
    b->left -= (size_t)n;
    return true;
}

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_i64(const unsigned char *p)
{
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

/* One block's head; the version byte is '2' or later. */
static bool head_read(struct bytes *b, struct head *ret)
{
    const unsigned char *p = b->p;

    if (!bytes_skip(b, HEAD_BYTES) || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *ret = (struct head){read_u32(p + 20), read_u32(p + 24), read_u32(p + 28),
                         read_u32(p + 32), read_u32(p + 36), read_u32(p + 40)};
    return true;
}

static uint64_t head_data_bytes(const struct head *head, uint64_t time_bytes)
{
    return head->time * time_bytes + head->time + (uint64_t)head->type * TYPE_BYTES + head->chars +
           head->leap * (time_bytes + 4) + head->isstd + head->isut;
}

/* ---- building ---- */

/* Ends the span before and begins one; the same offset goes on as it is. */
static void zone_add(struct zone *zone, int64_t start_s, int32_t offset_s)
{
    if (zone->count != 0 && zone->offset_s[zone->count - 1] == offset_s)
        return;
    if (zone->count != 0 && start_s <= zone->start_s[zone->count - 1]) {
        /* Two changes at one instant: the later one holds. */
        zone->offset_s[zone->count - 1] = offset_s;
        return;
    }
    zone->start_s[zone->count] = start_s;
    zone->offset_s[zone->count++] = offset_s;
}

/* The 64-bit block: times, then their types, then what the types mean. */
static bool zone_read_block(struct zone *zone, const unsigned char *data, const struct head *head,
                            struct err *err)
{
    const unsigned char *times = data, *kinds = data + (size_t)head->time * 8, *types = kinds + head->time;
    int64_t before = INT64_MIN;

    for (uint32_t i = 0; i < head->type; i++) {
        int32_t offset = (int32_t)read_u32(types + (size_t)i * TYPE_BYTES);
        if (offset <= -OFFSET_S_MAX || offset >= OFFSET_S_MAX)
            return err_set(err, ERR_INVALID, "not a sound zone file: an offset of more than a day");
    }
    zone_add(zone, INT64_MIN, (int32_t)read_u32(types));
    for (uint32_t i = 0; i < head->time; i++) {
        int64_t at = read_i64(times + (size_t)i * 8);
        if ((i != 0 && at <= before) || kinds[i] >= head->type)
            return err_set(err, ERR_INVALID, "not a sound zone file: change %u is out of order or of no type",
                           i);
        before = at;
        zone_add(zone, at, (int32_t)read_u32(types + (size_t)kinds[i] * TYPE_BYTES));
    }
    return true;
}

/* Follows the rule from the last listed change (or from the start) to the end of ZONE_LAST_YEAR. */
static void zone_expand(struct zone *zone, const struct zone_rule *rule, bool has_times, int64_t last_s)
{
    int64_t year = FIRST_RULE_YEAR;
    int month, day;

    if (!rule->has_summer) {
        if (!has_times)
            zone->offset_s[0] = rule->standard_s;
        else if (zone->offset_s[zone->count - 1] != rule->standard_s)
            zone_add(zone, last_s, rule->standard_s);
        return;
    }
    if (has_times)
        date_parts(last_s / DAY_S, &year, &month, &day);
    for (year--; year <= ZONE_LAST_YEAR; year++) {
        int64_t summer = zone_date_instant(&rule->to_summer, year, rule->standard_s);
        int64_t standard = zone_date_instant(&rule->to_standard, year, rule->summer_s);
        bool summer_first = summer < standard;
        int64_t first = summer_first ? summer : standard, second = summer_first ? standard : summer;
        int32_t first_s = summer_first ? rule->summer_s : rule->standard_s;
        int32_t second_s = summer_first ? rule->standard_s : rule->summer_s;
        if (!has_times || first > last_s)
            zone_add(zone, first, first_s);
        if (!has_times || second > last_s)
            zone_add(zone, second, second_s);
    }
}

/* The line between two newlines after the data; empty: the last change holds for ever. */
static bool zone_read_footer(struct zone *zone, struct bytes rest, bool has_times, int64_t last_s,
                             struct err *err)
{
    struct zone_rule rule;

    if (rest.left < 2 || rest.p[0] != '\n')
        return err_set(err, ERR_INVALID, "not a sound zone file: the footer is missing");
    const unsigned char *end = memchr(rest.p + 1, '\n', rest.left - 1);
    if (end == NULL)
        return err_set(err, ERR_INVALID, "not a sound zone file: the footer has no end");
    struct span text = {(const char *)rest.p + 1, (size_t)(end - rest.p - 1)};
    if (text.len == 0)
        return true;
    if (!zone_rule_parse(text, &rule))
        return err_set(err, ERR_INVALID, "not a sound zone file: the footer is not a rule");
    zone_expand(zone, &rule, has_times, last_s);
    return true;
}

bool zone_parse(const void *bytes, size_t len, struct zone **ret, struct err *err)
{
    struct bytes b = {bytes, len};
    struct head head;

    if (len > ZONE_FILE_BYTES_MAX)
        return err_set(err, ERR_INVALID, "not a sound zone file: larger than %d bytes", ZONE_FILE_BYTES_MAX);
    if (!head_read(&b, &head) || !bytes_skip(&b, head_data_bytes(&head, 4)) || !head_read(&b, &head))
        return err_set(err, ERR_INVALID, "not a zone file (TZif) of version 2 or later");
    const unsigned char *data = b.p;
    if (head.type == 0 || !bytes_skip(&b, head_data_bytes(&head, 8)))
        return err_set(err, ERR_INVALID, "not a sound zone file: it ends too early");
    if (head.leap != 0)
        return err_set(err, ERR_INVALID, "a zone file with leap seconds (\"right/\") is not allowed");
    int64_t last_s = head.time == 0 ? 0 : read_i64(data + (size_t)(head.time - 1) * 8);
    /* A last change beyond the rule's years only makes the loop empty; from one long ago the rule is followed as far as there is room. */
    if (last_s > LAST_CHANGE_S_MAX || last_s < LAST_CHANGE_S_MIN)
        last_s = last_s > 0 ? LAST_CHANGE_S_MAX : LAST_CHANGE_S_MIN;
    size_t rule_changes = 2 * (size_t)(ZONE_LAST_YEAR - RULE_YEAR_MIN + 1);
    struct zone *zone = mem_new(1, sizeof *zone);
    zone->start_s = mem_new(head.time + rule_changes + 2, sizeof *zone->start_s);
    zone->offset_s = mem_new(head.time + rule_changes + 2, sizeof *zone->offset_s);
    if (!zone_read_block(zone, data, &head, err) || !zone_read_footer(zone, b, head.time != 0, last_s, err)) {
        zone_free(zone);
        return false;
    }
    zone->start_s = mem_grow(zone->start_s, zone->count, sizeof *zone->start_s);
    zone->offset_s = mem_grow(zone->offset_s, zone->count, sizeof *zone->offset_s);
    *ret = zone;
    return true;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->start_s);
    free(zone->offset_s);
    free(zone);
}

/* ---- files ---- */

bool zone_name_check(const char *name, struct err *err)
{
    size_t len = strlen(name);
    bool ok = len >= 1 && len <= ZONE_NAME_MAX && name[0] != '/' && name[len - 1] != '/' &&
              strstr(name, "..") == NULL && strstr(name, "//") == NULL;

    for (size_t i = 0; ok && i < len; i++)
        ok = isalnum((unsigned char)name[i]) || strchr("_+-/", name[i]) != NULL;
    return ok || err_set(err, ERR_INVALID, "not the name of a time zone, want one like Europe/Berlin");
}

static bool file_read(int fd, unsigned char **ret, size_t *ret_len, struct err *err)
{
    struct stat st;
    size_t len = 0;

    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_IO, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > ZONE_FILE_BYTES_MAX)
        return err_set(err, ERR_INVALID, "not a zone file");
    unsigned char *bytes = mem_new((size_t)st.st_size + 1, 1);
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + len, (size_t)st.st_size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            (void)err_set(err, ERR_IO, "%s", strerror(errno));
            free(bytes);
            return false;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret = bytes;
    *ret_len = len;
    return true;
}

bool zone_open(const char *dir, const char *name, struct zone **ret, struct err *err)
{
    char path[4096];
    unsigned char *bytes = NULL;
    size_t len = 0;

    if (!zone_name_check(name, err))
        return false;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(err, ERR_INVALID, "the path of the zone directory is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? err_set(err, ERR_INVALID, "no time zone %s is known here, want one like Europe/Berlin",
                             name)
                   : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    bool ok = file_read(fd, &bytes, &len, err) && zone_parse(bytes, len, ret, err);
    (void)close(fd);
    free(bytes);
    return ok || err_prefix(err, "time zone %s: ", name);
}

void zone_data_version(const char *dir, char *ret)
{
    static const char mark[] = "# version ";
    char path[4096], line[128] = "";

    ret[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/" ZONE_VERSION_FILE, dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    bool got = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    if (!got || strncmp(line, mark, sizeof mark - 1) != 0)
        return;
    const char *version = line + sizeof mark - 1;
    size_t len = strspn(version, "0123456789abcdefghijklmnopqrstuvwxyz.-");
    (void)snprintf(ret, ZONE_VERSION_BYTES, "%.*s", (int)len, version);
}

uint64_t zone_file_mark(const char *dir, const char *name)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);

    if (n < 0 || (size_t)n >= sizeof path || stat(path, &st) != 0)
        return 0;
    const uint64_t parts[] = {(uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
                              (uint64_t)st.st_mtim.tv_nsec};
    uint64_t mark = 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        mark = (mark ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return mark | 1;
}

/* ---- looking up ---- */

size_t zone_spans(const struct zone *zone)
{
    return zone->count;
}

size_t zone_span_at(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count; /* start_s[low] <= at_s < start_s[high] */

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->start_s[middle] <= at_s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t zone_span_start(const struct zone *zone, size_t i)
{
    return i < zone->count ? zone->start_s[i] : INT64_MAX;
}

int32_t zone_span_offset(const struct zone *zone, size_t i)
{
    return zone->offset_s[i];
}

int32_t zone_offset(const struct zone *zone, int64_t at_s)
{
    return zone->offset_s[zone_span_at(zone, at_s)];
}
