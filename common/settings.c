/* Settings of a program, read by a table; see settings.h. */
#include "settings.h"

#include "buf.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "yaml_node.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETTINGS_MAX = 200, SETTING_LIST_MAX = 1000 };

/* What one row got, before all rows are known to be good. */
struct setting_value {
    int64_t number;
    char *text;
    struct setting_list list;
    bool set,
        bad; /* bad: what the file says cannot be; the default stands in, so that others can be looked at */
};

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1000}, {"s", 1000000}, {"m", INT64_C(60000000)}, {"h", INT64_C(3600000000)}, {"d", DAY_US}};
static const struct unit bytes_units[] = {{"", 1},
                                          {"KiB", 1024},
                                          {"MiB", INT64_C(1048576)},
                                          {"GiB", INT64_C(1073741824)}};

static const char *const kind_names[] = {
    [SETTING_TEXT] = "text",         [SETTING_INT] = "number", [SETTING_BOOL] = "true or false",
    [SETTING_DURATION] = "duration", [SETTING_BYTES] = "size", [SETTING_LIST] = "list"};

enum { UNIT_DIGITS_MAX = 18 };

/* Digits and one of the units. */
static bool units_parse(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
    char digits[UNIT_DIGITS_MAX + 1];
    size_t len = strspn(text, "0123456789");
    int64_t number = 0;

    if (len == 0 || len > UNIT_DIGITS_MAX)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (!decimal_parse(digits, &number))
        return false;
    if (number == 0 && text[len] == '\0') {
        *ret = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(text + len, units[i].name) == 0 && number <= INT64_MAX / units[i].factor) {
            *ret = number * units[i].factor;
            return true;
        }
    return false;
}

/* The largest unit that divides the number. */
static void units_format(struct buf *out, int64_t number, const struct unit *units, size_t count)
{
    const struct unit *best = &units[0];
    for (size_t i = 0; i < count && number != 0; i++)
        if (number % units[i].factor == 0)
            best = &units[i];
    if (number != 0 && number % best->factor != 0)
        (void)buf_printf(out, "%" PRId64 "us", number);
    else
        (void)buf_printf(out, "%" PRId64 "%s", number / best->factor, best->name);
}

static void number_format(struct buf *out, enum setting_kind kind, int64_t number)
{
    if (kind == SETTING_DURATION)
        units_format(out, number, duration_units, sizeof duration_units / sizeof duration_units[0]);
    else if (kind == SETTING_BYTES)
        units_format(out, number, bytes_units, sizeof bytes_units / sizeof bytes_units[0]);
    else
        (void)buf_printf(out, "%" PRId64, number);
}

/* "a duration such as 30s from 1s to 1h": what is allowed, for messages and pages. */
static void want_format(struct buf *out, const struct setting *row)
{
    static const char *const wants[] = {
        [SETTING_TEXT] = "text",
        [SETTING_INT] = "a number",
        [SETTING_BOOL] = "true or false",
        [SETTING_DURATION] = "a duration such as 500ms, 30s, 15m, 6h or 2d",
        [SETTING_BYTES] = "a size such as 512, 64KiB, 1MiB or 1GiB",
        [SETTING_LIST] = "a list of texts",
    };
    (void)buf_add_text(out, wants[row->kind]);
    if ((row->least == 0 && row->most == 0) || row->kind == SETTING_BOOL)
        return;
    bool is_length = row->kind == SETTING_TEXT || row->kind == SETTING_LIST;
    (void)buf_add_text(out, is_length ? " of " : " from ");
    number_format(out, is_length ? SETTING_INT : row->kind, row->least);
    (void)buf_add_text(out, " to ");
    number_format(out, is_length ? SETTING_INT : row->kind, row->most);
    if (is_length)
        (void)buf_add_text(out, row->kind == SETTING_TEXT ? " bytes" : " entries");
}

static bool setting_refuse(const struct setting *row, struct fault_place place, const char *what,
                           struct faults *faults)
{
    struct buf want;
    buf_init(&want, 400);
    want_format(&want, row);
    (void)faults_add(faults, place, "%s: %s, want %s", row->name, what, buf_text(&want));
    buf_clear(&want);
    return false;
}

static bool setting_in_limits(const struct setting *row, int64_t number)
{
    return (row->least == 0 && row->most == 0) || (number >= row->least && number <= row->most);
}

static bool number_parse(enum setting_kind kind, const char *text, int64_t *ret)
{
    switch (kind) {
    case SETTING_INT:
        return decimal_parse(text, ret);
    case SETTING_DURATION:
        return units_parse(text, duration_units, sizeof duration_units / sizeof duration_units[0], ret);
    case SETTING_BYTES:
        return units_parse(text, bytes_units, sizeof bytes_units / sizeof bytes_units[0], ret);
    default:
        *ret = strcmp(text, "true") == 0;
        return *ret == 1 || strcmp(text, "false") == 0;
    }
}

static void list_clear(struct setting_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct setting_list){NULL, 0};
}

static void list_add(struct setting_list *list, const char *text, size_t len)
{
    list->items = mem_grow(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = mem_strndup(text, len);
}

void setting_list_set(struct setting_list *list, const char *const *items, size_t count)
{
    list_clear(list);
    for (size_t i = 0; i < count; i++)
        list_add(list, items[i], strlen(items[i]));
}

/* One scalar, from a file or a default, into value. */
static bool scalar_read(const struct setting *row, const char *text, bool quoted, struct fault_place place,
                        struct setting_value *value, struct faults *faults)
{
    char what[160];

    if (row->kind == SETTING_TEXT) {
        if (!setting_in_limits(row, (int64_t)strlen(text))) {
            (void)snprintf(what, sizeof what, "has %zu bytes", strlen(text));
            return setting_refuse(row, place, *text == '\0' ? "is missing" : what, faults);
        }
        value->text = mem_strdup(text);
        return true;
    }
    (void)snprintf(what, sizeof what, "\"%.100s\" is not allowed%s", text, quoted ? " in quotes" : "");
    if (quoted || !number_parse(row->kind, text, &value->number) ||
        (row->kind != SETTING_BOOL && !setting_in_limits(row, value->number)))
        return setting_refuse(row, place, what, faults);
    return true;
}

static bool list_check(const struct setting *row, struct fault_place place, struct setting_value *value,
                       struct faults *faults)
{
    char what[60];
    if (value->list.count <= SETTING_LIST_MAX && setting_in_limits(row, (int64_t)value->list.count))
        return true;
    (void)snprintf(what, sizeof what, "has %zu entries", value->list.count);
    return setting_refuse(row, place, what, faults);
}

static bool list_read(const struct setting *row, const struct yaml_node *node, struct setting_value *value,
                      struct faults *faults)
{
    bool ok = true;

    if (node->kind == NODE_SCALAR && !yaml_node_is_null(node))
        list_add(&value->list, node->text, node->len);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        if (item->kind != NODE_SCALAR || yaml_node_is_null(item) || item->len == 0)
            ok = setting_refuse(row, item->place, "an entry is not text", faults);
        else
            list_add(&value->list, item->text, item->len);
    }
    return list_check(row, node->place, value, faults) && ok;
}

static bool setting_read_node(const struct setting *row, const struct yaml_node *node,
                              struct setting_value *value, struct faults *faults)
{
    if (node->kind == NODE_MAP || (node->kind == NODE_LIST && row->kind != SETTING_LIST)) {
        char what[40];
        (void)snprintf(what, sizeof what, "is %s", yaml_node_kind_name(node));
        return setting_refuse(row, node->place, what, faults);
    }
    if (row->kind == SETTING_LIST)
        return list_read(row, node, value, faults);
    if (row->kind == SETTING_TEXT && yaml_node_is_null(node))
        return scalar_read(row, "", false, node->place, value, faults);
    return scalar_read(row, node->text, node->quoted, node->place, value, faults);
}

static bool setting_read_fallback(const struct setting *row, const char *file, struct setting_value *value,
                                  struct faults *faults)
{
    struct fault_place place = {.file = file};
    const char *text = row->fallback != NULL ? row->fallback : "";

    if (row->kind != SETTING_LIST)
        return scalar_read(row, row->fallback == NULL && row->kind == SETTING_BOOL ? "false" : text, false,
                           place, value, faults);
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        list_add(&value->list, text, len);
        text += len;
        text += *text == ',';
    }
    return list_check(row, place, value, faults);
}

/* Moves a value to its place in the program's struct. */
static void setting_store(const struct setting *row, struct setting_value *value, void *target)
{
    void *place = (char *)target + row->place;
    bool yes = value->number != 0;

    switch (row->kind) {
    case SETTING_TEXT:
        memcpy(place, &value->text, sizeof value->text);
        value->text = NULL;
        break;
    case SETTING_LIST:
        memcpy(place, &value->list, sizeof value->list);
        value->list = (struct setting_list){NULL, 0};
        break;
    case SETTING_BOOL:
        memcpy(place, &yes, sizeof yes);
        break;
    default:
        memcpy(place, &value->number, sizeof value->number);
        break;
    }
}

/* False when it is no map. */
static bool settings_read_root(const struct yaml_node *root, const struct setting *table, size_t count,
                               struct setting_value *values, struct faults *faults)
{
    const char *names[SETTINGS_MAX];

    if (yaml_node_is_null(root))
        return true;
    if (root->kind != NODE_MAP)
        return faults_add(faults, root->place, "the file is %s, want a map of settings",
                          yaml_node_kind_name(root));
    for (size_t i = 0; i < count; i++)
        names[i] = table[i].name;
    (void)yaml_node_check_keys(root, "this file", names, count, faults);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *node = yaml_node_find(root, table[i].name);
        if (node == NULL)
            continue;
        values[i].set = setting_read_node(&table[i], node, &values[i], faults);
        values[i].bad = !values[i].set;
    }
    return true;
}

/* All of a file of at most YAML_BYTES_MAX + 1 bytes. */
static bool file_read(const char *path, char **ret, size_t *ret_len, struct err *err)
{
    char *bytes = NULL;
    size_t len = 0;
    bool ok = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bytes = mem_new(YAML_BYTES_MAX + 1, 1);
    for (;;) {
        ssize_t n = read(fd, bytes + len, YAML_BYTES_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
            goto out;
        }
        len += (size_t)n;
        if (n == 0 || len > YAML_BYTES_MAX)
            break;
    }
    *ret = bytes;
    *ret_len = len;
    bytes = NULL;
    ok = true;
out:
    free(bytes);
    (void)close(fd);
    return ok;
}

/* Where the faults go of which a program's own check tells the names. */
struct setting_faults {
    struct faults *faults;
    const struct yaml_node *root; /* NULL: no file */
    const char *file;
    const struct setting *table;
    const struct setting_value *values;
    size_t count;
};

/* What is wrong by itself is told already, and the default that stands in for it is nobody's fault. */
static bool setting_is_bad(const struct setting_faults *faults, const char *name)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->values[i].bad && strcmp(faults->table[i].name, name) == 0)
            return true;
    return false;
}

static struct fault_place setting_place(const struct setting_faults *faults, const char *name)
{
    bool is_map = faults->root != NULL && faults->root->kind == NODE_MAP;
    const struct yaml_node *node = is_map ? yaml_node_find(faults->root, name) : NULL;
    return node != NULL ? node->place : (struct fault_place){.file = faults->file};
}

void settings_fault_err(struct setting_faults *faults, const struct err *fault)
{
    if (setting_is_bad(faults, fault->field))
        return;
    (void)faults_add(faults->faults, setting_place(faults, fault->field), "%s", fault->msg);
}

static void setting_fault_add(struct setting_faults *faults, const char *name, const char *fmt, va_list args)
{
    char what[600];

    (void)vsnprintf(what, sizeof what, fmt, args);
    if (!setting_is_bad(faults, name))
        (void)faults_add(faults->faults, setting_place(faults, name), "%s: %s", name, what);
}

void settings_fault(struct setting_faults *faults, const char *name, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    setting_fault_add(faults, name, fmt, args);
    va_end(args);
}

void settings_fault_beside(struct setting_faults *faults, const char *name, const char *other,
                           const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (!setting_is_bad(faults, other))
        setting_fault_add(faults, name, fmt, args);
    va_end(args);
}

/* What stands in no file gets its default, and so does what cannot be. */
static void settings_read_fallbacks(const struct setting *table, size_t count, const char *file,
                                    struct setting_value *values, struct faults *faults)
{
    struct faults known = {NULL, 0, 0};

    for (size_t i = 0; i < count; i++) {
        if (values[i].set)
            continue;
        list_clear(&values[i].list);
        if (!setting_read_fallback(&table[i], file, &values[i], values[i].bad ? &known : faults))
            values[i].bad = true;
        if (table[i].kind == SETTING_TEXT && values[i].text == NULL)
            values[i].text = mem_strdup("");
    }
    faults_clear(&known);
}

static size_t kind_size(enum setting_kind kind)
{
    return kind == SETTING_LIST   ? sizeof(struct setting_list)
           : kind == SETTING_BOOL ? sizeof(bool)
           : kind == SETTING_TEXT ? sizeof(char *)
                                  : sizeof(int64_t);
}

static bool settings_fill(const struct setting *table, size_t count, struct setting_value *values,
                          settings_check_fn *check, void *target, struct setting_faults *to)
{
    for (size_t i = 0; i < count; i++)
        setting_store(&table[i], &values[i], target);
    if (check != NULL)
        check(target, to);
    if (to->faults->count == 0)
        return true;
    settings_clear(table, count, target);
    for (size_t i = 0; i < count; i++)
        memset((char *)target + table[i].place, 0, kind_size(table[i].kind));
    return false;
}

bool settings_load_checked(const char *path, const struct setting *table, size_t count,
                           settings_check_fn *check, void *target, struct faults *ret_faults, struct err *err)
{
    const char *file = path != NULL ? path : "settings";
    struct setting_value values[SETTINGS_MAX];
    struct faults faults = {NULL, 0, 0};
    struct yaml_node *root = NULL;
    char *bytes = NULL;
    size_t len = 0;
    bool ok = true, is_read = true;

    if (count > SETTINGS_MAX)
        return err_set(err, ERR_INTERNAL, "a table of %zu settings, want at most %d", count, SETTINGS_MAX);
    memset(values, 0, sizeof values);
    if (path != NULL && !file_read(path, &bytes, &len, err))
        return false;
    /* A file that is no map says nothing of any setting. */
    if (path != NULL) {
        ok = yaml_node_parse(path, bytes, len, &root, &faults);
        is_read = root != NULL && settings_read_root(root, table, count, values, &faults);
    }
    if (is_read) {
        settings_read_fallbacks(table, count, file, values, &faults);
        ok = settings_fill(table, count, values, check, target,
                           &(struct setting_faults){.faults = &faults,
                                                    .root = root,
                                                    .file = file,
                                                    .table = table,
                                                    .values = values,
                                                    .count = count});
    }
    ok = ok && is_read;
    if (!ok) {
        faults_sort(&faults);
        faults_to_err(&faults, ERR_INVALID, err);
    }
    if (!ok && ret_faults != NULL) {
        *ret_faults = faults;
        faults = (struct faults){NULL, 0, 0};
    }
    for (size_t i = 0; i < count; i++) {
        free(values[i].text);
        list_clear(&values[i].list);
    }
    faults_clear(&faults);
    yaml_node_free(root);
    free(bytes);
    return ok;
}

bool settings_load(const char *path, const struct setting *table, size_t count, void *target, struct err *err)
{
    return settings_load_checked(path, table, count, NULL, target, NULL, err);
}

static bool list_is_same(const struct setting_list *a, const struct setting_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

static bool value_is_same(const struct setting *row, const void *a, const void *b)
{
    if (row->kind == SETTING_TEXT)
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    if (row->kind == SETTING_LIST)
        return list_is_same(a, b);
    return memcmp(a, b, kind_size(row->kind)) == 0;
}

void settings_take(const struct setting *table, size_t count, void *running, void *fresh,
                   void (*stays)(const char *name))
{
    unsigned char kept[sizeof(struct setting_list)];

    for (size_t i = 0; i < count; i++) {
        char *old = (char *)running + table[i].place, *new = (char *)fresh + table[i].place;
        size_t size = kind_size(table[i].kind);

        if (table[i].reloadable) {
            memcpy(kept, old, size);
            memcpy(old, new, size);
            memcpy(new, kept, size);
        } else if (!value_is_same(&table[i], old, new)) {
            stays(table[i].name);
        }
    }
}

void settings_clear(const struct setting *table, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++) {
        void *place = (char *)target + table[i].place;
        if (table[i].kind == SETTING_TEXT) {
            char *text = NULL;
            memcpy(&text, place, sizeof text);
            free(text);
            memset(place, 0, sizeof text);
        } else if (table[i].kind == SETTING_LIST) {
            struct setting_list list;
            memcpy(&list, place, sizeof list);
            list_clear(&list);
            memcpy(place, &list, sizeof list);
        }
    }
}

void settings_log_refused(const struct faults *faults, const struct err *err)
{
    if (faults->count == 0)
        log_event(LOG_ERROR, "settings_refused", "reason=%s", log_quote(err->msg));
    for (size_t i = 0; i < faults->count; i++)
        log_event(LOG_ERROR, "settings_refused", "reason=%s", log_quote(faults->items[i].text));
    if (faults->dropped > 0)
        log_event(LOG_ERROR, "settings_refused", "more=%zu", faults->dropped);
}

/* A default as a file would write it. */
static void fallback_print(FILE *to, const struct setting *row)
{
    const char *text = row->fallback != NULL ? row->fallback : "";
    if (row->kind == SETTING_LIST)
        fprintf(to, "[%s]", text);
    else if (row->kind == SETTING_TEXT)
        fprintf(to, "\"%s\"", text);
    else
        fprintf(to, "%s", text);
}

static const char *example_value(const struct setting_example *examples, const char *name)
{
    for (; examples != NULL && examples->name != NULL; examples++)
        if (strcmp(examples->name, name) == 0)
            return examples->value;
    return NULL;
}

void settings_print_sample(FILE *to, const char *program, const struct setting *table, size_t count,
                           const struct setting_example *examples)
{
    fprintf(to, "# Settings of %s: /etc/docket/%s.yaml. What is commented out shows the default.\n", program,
            program);
    for (size_t i = 0; i < count; i++) {
        struct buf want;
        buf_init(&want, 400);
        want_format(&want, &table[i]);
        fprintf(to, "\n# %s\n# (%s%s)\n#%s: ", table[i].help, buf_text(&want),
                table[i].reloadable ? "; a reload changes it" : "", table[i].name);
        fallback_print(to, &table[i]);
        fputc('\n', to);
        const char *example = example_value(examples, table[i].name);
        if (example != NULL)
            fprintf(to, "%s: %s\n", table[i].name, example);
        buf_clear(&want);
    }
}

void settings_print_markdown(FILE *to, const struct setting *table, size_t count)
{
    fprintf(to, "| setting | kind | default | allowed | reload | meaning |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        struct buf want;
        buf_init(&want, 400);
        want_format(&want, &table[i]);
        fprintf(to, "| `%s` | %s | `", table[i].name, kind_names[table[i].kind]);
        fallback_print(to, &table[i]);
        fprintf(to, "` | %s | %s | %s |\n", buf_text(&want), table[i].reloadable ? "yes" : "no",
                table[i].help);
        buf_clear(&want);
    }
}
