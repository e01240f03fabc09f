/* The small readers of the process's loader: names, texts, choices, durations, each with its fault. */
#include "mem.h"
#include "date.h"
#include "process_internal.h"
#include "request_fields.h"

#include <string.h>

enum { DURATION_DIGITS_MAX = 9, DURATION_DAYS_MAX = 400, WANT_BYTES_MAX = 300 };

/* A name's, then what a tag may have besides. */
static const char tag_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:";
enum { NAME_LETTERS = sizeof tag_letters - 2 };

unsigned process_channel_parse(struct span name)
{
    static const char *const names[] = {"ticket", "im", "phone"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_is(name, names[i]))
            return 1U << i;
    return 0;
}

static bool load_letters(struct load *load, const struct yaml_node *node, const char *what, size_t letters,
                         const char **ret)
{
    const char *text = NULL;
    if (!yaml_node_text(node, what, PROCESS_NAME_MAX, &text, load->faults))
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (memchr(tag_letters, *at, letters) == NULL)
            return faults_add(load->faults, node->place,
                              "%s: \"%s\" is not allowed, want letters of A-Z a-z 0-9 . _ -%s", what, text,
                              letters == NAME_LETTERS ? "" : " :");
    *ret = process_text(load->process, text);
    return true;
}

bool load_name(struct load *load, const struct yaml_node *node, const char *what, const char **ret)
{
    return load_letters(load, node, what, NAME_LETTERS, ret);
}

bool load_tag(struct load *load, const struct yaml_node *node, const char *what, const char **ret)
{
    return load_letters(load, node, what, NAME_LETTERS + 1, ret);
}

bool load_text(struct load *load, const struct yaml_node *node, const char *what, const char **ret)
{
    const char *text = NULL;
    if (!yaml_node_text(node, what, PROCESS_TEXT_MAX, &text, load->faults))
        return false;
    *ret = process_text(load->process, text);
    return true;
}

bool load_line(struct load *load, const struct yaml_node *node, const char *what, size_t max,
               const char **ret)
{
    const char *text = NULL;
    if (!yaml_node_text(node, what, max, &text, load->faults))
        return false;
    if (!text_is_line(span_of(text)))
        (void)faults_add(&load->process->refusals, node->place,
                         "%s: \"%s\" is not allowed, want one line, without control characters", what, text);
    *ret = process_text(load->process, text);
    return true;
}

bool load_choice(struct load *load, const struct yaml_node *node, const char *what, const char *const *want,
                 size_t count, size_t *ret)
{
    char list[WANT_BYTES_MAX] = "";
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(list);
        if (node->kind == NODE_SCALAR && strcmp(node->text, want[i]) == 0) {
            *ret = i;
            return true;
        }
        (void)snprintf(list + len, sizeof list - len, "%s%s", i == 0 ? "" : (i + 1 == count ? " or " : ", "),
                       want[i]);
    }
    if (node->kind != NODE_SCALAR)
        return faults_add(load->faults, node->place, "%s: is %s, want %s", what, yaml_node_kind_name(node),
                          list);
    return faults_add(load->faults, node->place, "%s: \"%s\" is not allowed, want %s", what, node->text,
                      list);
}

bool process_duration_parse(const char *text, int64_t *ret_seconds, bool *ret_working)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
    char digits[DURATION_DIGITS_MAX + 1];
    size_t len = strspn(text, "0123456789");
    int64_t number = 0;

    if (len == 0 || len > DURATION_DIGITS_MAX)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (!decimal_parse(digits, &number) || text[len] == '\0')
        return false;
    bool working = strcmp(text + len + 1, " working") == 0;
    if ((text[len + 1] != '\0' && !working) || (working && text[len] == 'd'))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text[len] == units[i].letter && number * units[i].seconds <= DURATION_DAYS_MAX * (int64_t)DAY_S) {
            *ret_seconds = number * units[i].seconds;
            *ret_working = working;
            return true;
        }
    return false;
}

bool load_duration(struct load *load, const struct yaml_node *node, const char *what, int64_t *ret_s,
                   bool *ret_working)
{
    const char *want = ret_working != NULL
                           ? "a duration such as 0m, 30s, 15m, 6h, 2d or 6h working (no days with working)"
                           : "a duration such as 0m, 30s, 15m, 6h or 2d";
    int64_t seconds = 0;
    bool working = false;

    if (node->kind != NODE_SCALAR)
        return faults_add(load->faults, node->place, "%s: is %s, want %s", what, yaml_node_kind_name(node),
                          want);
    if (!process_duration_parse(node->text, &seconds, &working) || (working && ret_working == NULL))
        return faults_add(load->faults, node->place, "%s: \"%s\" is not allowed, want %s, at most %d days",
                          what, node->text, want, DURATION_DAYS_MAX);
    *ret_s = seconds;
    if (ret_working != NULL)
        *ret_working = working;
    return true;
}

bool load_close_after(struct load *load, const struct yaml_node *node, int64_t *ret_s)
{
    *ret_s = 0;
    if (yaml_node_is_null(node))
        return true;
    if (!load_duration(load, node, "close_unanswered_after", ret_s, NULL))
        return false;
    if (*ret_s == 0)
        (void)faults_add(&load->process->refusals, node->place,
                         "close_unanswered_after: \"%s\" is not allowed, want a time, or ~: never",
                         node->text);
    return true;
}

bool load_is_map(struct load *load, const struct yaml_node *node, const char *what, const char *form)
{
    if (node->kind == NODE_MAP)
        return true;
    return faults_add(load->faults, node->place, "%s: is %s, want a map like %s", what,
                      yaml_node_kind_name(node), form);
}

bool load_is_list(struct load *load, const struct yaml_node *node, const char *what, const char *form)
{
    if (node->kind == NODE_LIST)
        return true;
    return faults_add(load->faults, node->place, "%s: is %s, want a list like %s", what,
                      yaml_node_kind_name(node), form);
}

bool load_at_most(struct load *load, const struct yaml_node *node, const char *what, size_t most)
{
    if (node->count <= most)
        return true;
    return faults_add(load->faults, node->place, "%s: has %zu entries, want at most %zu", what, node->count,
                      most);
}

size_t node_many(const struct yaml_node *node)
{
    return node->kind == NODE_LIST ? node->count : 1;
}

const struct yaml_node *node_one(const struct yaml_node *node, size_t i)
{
    return node->kind == NODE_LIST ? node->items[i] : node;
}

void names_hint(const void *things, size_t count, size_t thing_bytes, const char *name,
                char ret[FAULTS_HINT_BYTES])
{
    const char **names = mem_new(count + 1, sizeof *names);

    for (size_t i = 0; i < count; i++)
        memcpy(&names[i], (const char *)things + i * thing_bytes, sizeof names[i]);
    faults_hint(name, names, count, ret, FAULTS_HINT_BYTES);
    free(names);
}

bool load_calendar_known(struct load *load, const struct yaml_node *node, const char *name)
{
    const struct process *process = load->process;
    char hint[FAULTS_HINT_BYTES];

    if (load->calendars_unread || strcmp(name, PROCESS_ALWAYS) == 0 ||
        process_calendar_find(process, name) != NULL)
        return true;
    NAMES_HINT(process->calendars, process->calendar_count, name, hint);
    return faults_add(load->faults, node->place,
                      "calendar: \"%s\" is not in calendars.yaml%s (%s is built in)", name, hint,
                      PROCESS_ALWAYS);
}
