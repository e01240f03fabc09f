/* libyaml's events into a tree; see yaml_node.h. */
#include "yaml_node.h"

#include "mem.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* One open list or map. */
struct frame {
    struct yaml_node *node;
    struct yaml_node *key; /* maps: read, its value not yet */
    size_t cap;
};

struct reader {
    yaml_parser_t yaml;
    const char *file;
    struct faults *faults;
    struct span bytes;
    struct frame stack[YAML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    struct yaml_node *root;
    bool has_root;
};

void yaml_node_free(struct yaml_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++) {
        if (node->keys != NULL)
            yaml_node_free(node->keys[i]);
        yaml_node_free(node->items[i]);
    }
    free(node->keys);
    free(node->items);
    free(node->text);
    free(node);
}

static struct fault_place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct fault_place){reader->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static struct yaml_node *node_new(struct reader *reader, enum node_kind kind, yaml_mark_t mark,
                                  const char *text, size_t len)
{
    struct yaml_node *node = mem_new(1, sizeof *node);
    node->kind = kind;
    node->place = place_of(reader, mark);
    node->text = mem_strndup(text, len);
    node->len = len;
    return node;
}

static bool node_is_merge(const struct yaml_node *key)
{
    return !key->quoted && strcmp(key->text, "<<") == 0;
}

/* Puts a finished or just opened node where it belongs; takes it. */
static bool reader_place(struct reader *reader, struct yaml_node *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        reader->has_root = true;
        return true;
    }
    struct frame *top = &reader->stack[reader->depth - 1];
    if (top->node->kind == NODE_MAP && top->key == NULL) {
        bool ok = true;
        if (node->kind != NODE_SCALAR)
            ok = faults_add(reader->faults, node->place, "a key is %s, want text", yaml_node_kind_name(node));
        else if (node_is_merge(node))
            ok = faults_add(reader->faults, node->place,
                            "merge keys (<<) are not allowed, write the entries out");
        if (!ok) {
            yaml_node_free(node);
            return false;
        }
        top->key = node;
        return true;
    }
    struct yaml_node *into = top->node;
    if (into->count == top->cap) {
        top->cap = top->cap == 0 ? 4 : top->cap * 2;
        into->items = mem_grow(into->items, top->cap, sizeof(struct yaml_node *));
        if (into->kind == NODE_MAP)
            into->keys = mem_grow(into->keys, top->cap, sizeof(struct yaml_node *));
    }
    if (into->kind == NODE_MAP)
        into->keys[into->count] = top->key;
    top->key = NULL;
    into->items[into->count++] = node;
    return true;
}

static int key_compare(const void *a, const void *b)
{
    const struct yaml_node *x = *(struct yaml_node *const *)a, *y = *(struct yaml_node *const *)b;
    int by_text = strcmp(x->text, y->text);
    if (by_text != 0)
        return by_text;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    return x->place.column < y->place.column ? -1 : x->place.column > y->place.column;
}

/* By sorting, so that a map of a hundred thousand keys costs no quadratic time. */
static void map_check_doubles(const struct yaml_node *map, struct faults *faults)
{
    if (map->count < 2)
        return;
    struct yaml_node **sorted = mem_dup(map->keys, map->count * sizeof *sorted);
    qsort(sorted, map->count, sizeof *sorted, key_compare);
    for (size_t i = 1; i < map->count; i++)
        if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
            (void)faults_add(faults, sorted[i]->place, "%s: is written twice, first in line %u",
                             sorted[i]->text, sorted[i - 1]->place.line);
    free(sorted);
}

static bool reader_refuse_marks(struct reader *reader, yaml_mark_t at, const yaml_char_t *anchor,
                                const yaml_char_t *tag)
{
    if (anchor != NULL)
        return faults_add(reader->faults, place_of(reader, at),
                          "anchors (&%s) are not allowed, write the value out where it is wanted",
                          (const char *)anchor);
    if (tag != NULL)
        return faults_add(reader->faults, place_of(reader, at), "tags (%s) are not allowed, leave it out",
                          (const char *)tag);
    return true;
}

static bool on_scalar(struct reader *reader, const yaml_event_t *event)
{
    if (!reader_refuse_marks(reader, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag))
        return false;
    const char *value = (const char *)event->data.scalar.value;
    if (memchr(value, '\0', event->data.scalar.length) != NULL)
        return faults_add(reader->faults, place_of(reader, event->start_mark),
                          "a NUL in text is not allowed");
    struct yaml_node *node =
        node_new(reader, NODE_SCALAR, event->start_mark, value, event->data.scalar.length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return reader_place(reader, node);
}

static bool reader_open(struct reader *reader, enum node_kind kind, const yaml_event_t *event)
{
    bool is_map = kind == NODE_MAP;
    if (!reader_refuse_marks(reader, event->start_mark,
                             is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
                             is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag))
        return false;
    if (reader->depth == YAML_DEPTH_MAX)
        return faults_add(reader->faults, place_of(reader, event->start_mark), "nested deeper than %d",
                          YAML_DEPTH_MAX);
    struct yaml_node *node = node_new(reader, kind, event->start_mark, "", 0);
    if (!reader_place(reader, node))
        return false;
    reader->stack[reader->depth++] = (struct frame){.node = node};
    return true;
}

static bool reader_close(struct reader *reader)
{
    const struct frame *top = &reader->stack[--reader->depth];
    if (top->node->kind == NODE_MAP)
        map_check_doubles(top->node, reader->faults);
    return true;
}

static bool reader_take(struct reader *reader, const yaml_event_t *event)
{
    bool is_node = event->type == YAML_SCALAR_EVENT || event->type == YAML_SEQUENCE_START_EVENT ||
                   event->type == YAML_MAPPING_START_EVENT;
    if (is_node && ++reader->nodes > YAML_NODES_MAX)
        return faults_add(reader->faults, place_of(reader, event->start_mark),
                          "more than %d values in one file", YAML_NODES_MAX);
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return reader_open(reader, NODE_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return reader_open(reader, NODE_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return reader_close(reader);
    case YAML_ALIAS_EVENT:
        return faults_add(reader->faults, place_of(reader, event->start_mark),
                          "aliases (*%s) are not allowed, write the value out",
                          (const char *)event->data.alias.anchor);
    case YAML_DOCUMENT_START_EVENT:
        if (reader->has_root)
            return faults_add(reader->faults, place_of(reader, event->start_mark),
                              "a second document, want one");
        return true;
    default:
        return true;
    }
}

/* Line and column, in letters, of a byte. */
static struct fault_place place_of_byte(const struct reader *reader, size_t offset)
{
    struct fault_place place = {reader->file, 1, 1};
    for (size_t i = 0; i < offset && i < reader->bytes.len; i++) {
        unsigned char byte = (unsigned char)reader->bytes.p[i];
        if (byte == '\n')
            place.line++, place.column = 1;
        else if ((byte & 0xc0) != 0x80)
            place.column++;
    }
    return place;
}

/* libyaml counts letters. */
static size_t byte_of_letter(struct span bytes, size_t letter)
{
    size_t i = 0;

    for (; i < bytes.len; i++)
        if (((unsigned char)bytes.p[i] & 0xc0) != 0x80 && letter-- == 0)
            break;
    return i;
}

/* A letter that YAML has other uses for; libyaml does not say which. */
static void reader_refuse_letter(struct reader *reader, size_t at)
{
    struct fault_place place = place_of(reader, reader->yaml.problem_mark);

    if (at < reader->bytes.len && reader->bytes.p[at] == '\t')
        (void)faults_add(reader->faults, place, "a tab, want blanks: lines are indented with them");
    else
        (void)faults_add(reader->faults, place, "\"%c\" begins no value, put the whole value in quotes",
                         at < reader->bytes.len ? reader->bytes.p[at] : '?');
}

static void reader_fail(struct reader *reader)
{
    const yaml_parser_t *yaml = &reader->yaml;
    if (yaml->error == YAML_READER_ERROR) { /* these have no mark */
        (void)faults_add(reader->faults, place_of_byte(reader, yaml->problem_offset), "%s", yaml->problem);
        return;
    }
    const char *problem = yaml->problem != NULL ? yaml->problem : "not YAML";
    size_t at = yaml->problem_mark.index;
    if (strncmp(problem, "found character that cannot start any token", 43) == 0 && at < reader->bytes.len) {
        reader_refuse_letter(reader, byte_of_letter(reader->bytes, at));
        return;
    }
    if (yaml->context != NULL)
        (void)faults_add(reader->faults, place_of(reader, yaml->problem_mark), "%s (%s)", problem,
                         yaml->context);
    else
        (void)faults_add(reader->faults, place_of(reader, yaml->problem_mark), "%s", problem);
}

static bool reader_run(struct reader *reader)
{
    for (;;) {
        yaml_event_t event;
        if (yaml_parser_parse(&reader->yaml, &event) == 0) {
            reader_fail(reader);
            return false;
        }
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        bool ok = reader_take(reader, &event);
        yaml_event_delete(&event);
        if (!ok || is_end)
            return ok;
    }
}

/* libyaml tells only a byte's place for these, and takes some of them: so they are looked for first. */
static bool bytes_check(const char *file, const char *bytes, size_t len, struct faults *faults)
{
    struct fault_place place = {file, 1, 1};
    size_t from = 0;

    if (len > YAML_BYTES_MAX)
        return faults_add(faults, (struct fault_place){.file = file}, "has %zu bytes, want at most %d", len,
                          YAML_BYTES_MAX);
    if (utf8_check((struct span){bytes, len}, NULL))
        return true;
    for (size_t i = 0; i < len; i++) /* the first line that is at fault */
        if (bytes[i] == '\n') {
            if (!utf8_check((struct span){bytes + from, i - from}, NULL))
                break;
            from = i + 1;
            place.line++;
        }
    for (size_t i = from; i < len; place.column++) { /* and the first letter of it */
        size_t step = 1;
        while (step < 4 && i + step < len && ((unsigned char)bytes[i + step] & 0xc0) == 0x80)
            step++;
        if (!utf8_check((struct span){bytes + i, step}, NULL))
            break;
        i += step;
    }
    return faults_add(faults, place, "a NUL or a byte that is not UTF-8");
}

bool yaml_node_parse(const char *file, const void *bytes, size_t len, struct yaml_node **ret_root,
                     struct faults *faults)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of byte order; some editors begin a file with it */
    bool is_marked = len >= sizeof mark - 1 && memcmp(bytes, mark, sizeof mark - 1) == 0;
    size_t skip = is_marked ? sizeof mark - 1 : 0;

    bytes = (const char *)bytes + skip;
    len -= skip;
    struct reader reader = {.file = file, .faults = faults, .bytes = {bytes, len}};
    size_t faults_before = faults->count + faults->dropped;

    if (!bytes_check(file, bytes, len, faults))
        return false;
    if (yaml_parser_initialize(&reader.yaml) == 0)
        return faults_add(faults, (struct fault_place){.file = file}, "out of memory");
    yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.yaml, bytes, len);
    bool ok = reader_run(&reader);
    yaml_parser_delete(&reader.yaml);
    for (size_t i = 0; i < reader.depth; i++)
        yaml_node_free(reader.stack[i].key);
    if (ok && !reader.has_root)
        reader.root = node_new(&reader, NODE_SCALAR, (yaml_mark_t){0, 0, 0}, "", 0);
    if (!ok) {
        yaml_node_free(reader.root);
        return false;
    }
    *ret_root = reader.root;
    return faults->count + faults->dropped == faults_before;
}

const char *yaml_node_kind_name(const struct yaml_node *node)
{
    static const char *const names[] = {[NODE_SCALAR] = "text", [NODE_LIST] = "a list", [NODE_MAP] = "a map"};
    return yaml_node_is_null(node) ? "nothing" : names[node->kind];
}

bool yaml_node_is_null(const struct yaml_node *node)
{
    if (node == NULL)
        return true;
    if (node->kind != NODE_SCALAR || node->quoted)
        return false;
    return node->len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

const struct yaml_node *yaml_node_find(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

bool decimal_parse(const char *text, int64_t *ret)
{
    bool minus = *text == '-';
    const char *digits = text + (minus ? 1 : 0);
    int64_t value = 0;

    if (*digits == '\0' || (digits[0] == '0' && (digits[1] != '\0' || minus)))
        return false;
    for (const char *p = digits; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || value > (INT64_MAX - (*p - '0')) / 10)
            return false;
        value = value * 10 + (*p - '0');
    }
    *ret = minus ? -value : value;
    return true;
}

bool decimal_fraction_parse(const char *text, double *ret)
{
    enum { DIGITS_MAX = 15 }; /* as many as a double tells apart */
    char whole[DIGITS_MAX + 2];
    size_t len = strcspn(text, "."), behind = text[len] == '\0' ? 0 : strspn(text + len + 1, "0123456789");
    int64_t number = 0;

    if (behind == 0 || text[len + 1 + behind] != '\0' || len + behind > DIGITS_MAX)
        return false;
    memcpy(whole, text, len);
    whole[len] = '\0';
    if (strcmp(whole, "-0") != 0 && !decimal_parse(whole, &number))
        return false;
    *ret = strtod(text, NULL);
    return true;
}

bool yaml_node_int(const struct yaml_node *node, const char *what, int64_t least, int64_t most, int64_t *ret,
                   struct faults *faults)
{
    int64_t value = 0;
    if (node->kind != NODE_SCALAR)
        return faults_add(faults, node->place, "%s: is %s, want a number", what, yaml_node_kind_name(node));
    if (node->quoted || !decimal_parse(node->text, &value) || value < least || value > most)
        return faults_add(faults, node->place,
                          "%s: \"%s\" is not allowed, want a number from %" PRId64 " to %" PRId64, what,
                          node->text, least, most);
    *ret = value;
    return true;
}

bool yaml_node_bool(const struct yaml_node *node, const char *what, bool *ret, struct faults *faults)
{
    bool yes = node->kind == NODE_SCALAR && !node->quoted && strcmp(node->text, "true") == 0;
    bool no = node->kind == NODE_SCALAR && !node->quoted && strcmp(node->text, "false") == 0;
    if (!yes && !no)
        return faults_add(faults, node->place, "%s: %s%s%s, want true or false", what,
                          node->kind == NODE_SCALAR ? "\"" : "is ",
                          node->kind == NODE_SCALAR ? node->text : yaml_node_kind_name(node),
                          node->kind == NODE_SCALAR ? "\" is not allowed" : "");
    *ret = yes;
    return true;
}

bool yaml_node_text(const struct yaml_node *node, const char *what, size_t max, const char **ret,
                    struct faults *faults)
{
    if (node->kind != NODE_SCALAR || yaml_node_is_null(node) || node->len == 0)
        return faults_add(faults, node->place, "%s: is %s, want text", what,
                          node->kind == NODE_SCALAR ? "empty" : yaml_node_kind_name(node));
    if (node->len > max)
        return faults_add(faults, node->place, "%s: has %zu bytes, want at most %zu", what, node->len, max);
    *ret = node->text;
    return true;
}

bool yaml_node_check_keys(const struct yaml_node *map, const char *what, const char *const *names,
                          size_t count, struct faults *faults)
{
    bool ok = true;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i];
        bool known = false;
        for (size_t j = 0; j < count && !known; j++)
            known = names[j] != NULL && strcmp(names[j], key->text) == 0;
        if (known)
            continue;
        char hint[FAULTS_HINT_BYTES];
        faults_hint(key->text, names, count, hint, sizeof hint);
        ok = faults_add(faults, key->place, "%s: is not known in %s%s", key->text, what, hint);
    }
    return ok;
}
