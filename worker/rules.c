/* Runs rules and puts together what they chose; see rules.h. */
#include "rules_internal.h"

#include "desk.h"
#include "mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_BYTES_MAX = 256 * 1024,
    WHY_BYTES_MAX = 2000,
    WHY_KEPT = 500,
    DEPTH_LIMIT = 1000,
    HEAP_LIMIT_KIB = 8192
};

bool rules_new(const struct process *process, struct rules **ret, struct faults *faults)
{
    struct rules *rules = mem_new(1, sizeof *rules);

    rules->process = process;
    rules->context = pcre2_match_context_create(NULL);
    rules->data = pcre2_match_data_create(1, NULL);
    buf_init(&rules->text, TEXT_BYTES_MAX);
    buf_init(&rules->reply, TEXT_BYTES_MAX);
    buf_init(&rules->why, WHY_BYTES_MAX);
    if (rules->context == NULL || rules->data == NULL) {
        rules_free(rules);
        return faults_add(faults, (struct fault_place){.file = "rules/"}, "out of memory");
    }
    (void)pcre2_set_match_limit(rules->context, RULES_MATCH_LIMIT);
    (void)pcre2_set_depth_limit(rules->context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(rules->context, HEAP_LIMIT_KIB);
    *ret = rules;
    return true;
}

void rules_free(struct rules *rules)
{
    if (rules == NULL)
        return;
    pcre2_match_context_free(rules->context);
    pcre2_match_data_free(rules->data);
    buf_clear(&rules->text);
    buf_clear(&rules->reply);
    buf_clear(&rules->why);
    free(rules);
}

/* ---- what stands on the ticket ---- */

static bool list_has(const struct wire_val *list, const char *text)
{
    struct span item;
    for (size_t i = 0; i < wire_count(list); i++)
        if (wire_get_str(wire_at(list, i), &item) && span_is(item, text))
            return true;
    return false;
}

static bool is_held(const struct rules_input *input, const char *field)
{
    return list_has(wire_find(input->ticket, "held"), field);
}

static int ticket_priority(const struct rules_input *input)
{
    return (int)wire_find_int(input->ticket, "priority", 0);
}

/* ---- putting together ---- */

static void text_add(const char **list, size_t *count, const char *text)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i], text) == 0)
            return;
    if (*count < RULES_LIST_MAX)
        list[(*count)++] = text;
}

static void attribute_add(struct rules_outcome *out, const struct rule_attribute *attribute)
{
    for (size_t i = 0; i < out->attribute_count; i++)
        if (strcmp(out->attributes[i]->name, attribute->name) == 0) {
            out->attributes[i] = attribute;
            return;
        }
    if (out->attribute_count < RULES_LIST_MAX)
        out->attributes[out->attribute_count++] = attribute;
}

static void later_wins(const char **place, const char *text)
{
    if (text != NULL)
        *place = text;
}

struct priorities {
    int best;   /* the most urgent proposal */
    int forced; /* the last forced one */
};

static void outcome_add(const struct rules_input *input, const struct rule_action *then,
                        struct rules_outcome *out, struct priorities *priorities)
{
    if (then->priority != 0 && then->force)
        priorities->forced = then->priority;
    else if (then->priority != 0 && (priorities->best == 0 || then->priority < priorities->best))
        priorities->best = then->priority;
    later_wins(&out->queue, then->queue);
    later_wins(&out->assignee, then->assignee);
    later_wins(&out->team, then->team);
    later_wins(&out->kind, then->kind);
    later_wins(&out->calendar, then->calendar);
    for (size_t i = 0; i < then->tags.count; i++)
        if (!list_has(wire_find(input->ticket, "tags"), then->tags.items[i]))
            text_add(out->tags, &out->tag_count, then->tags.items[i]);
    for (size_t i = 0; i < then->asks.count; i++)
        text_add(out->asks, &out->ask_count, then->asks.items[i]);
    if (then->alert != NULL)
        text_add(out->alerts, &out->alert_count, then->alert);
    for (size_t i = 0; i < then->tell_count && out->tell_count < RULES_LIST_MAX; i++)
        out->tells[out->tell_count++] = &then->tells[i];
    for (size_t i = 0; i < then->attribute_count; i++)
        attribute_add(out, &then->attributes[i]);
    if (then->wake_in_s != 0) {
        out->wake_in_s = then->wake_in_s;
        out->wake_in_working = then->wake_in_working;
    }
}

/* What people set by hand stays; what is already so is no change; only the posting's rules may lower. */
static void outcome_keep(const struct rules_input *input, struct rules_outcome *out,
                         const struct priorities *priorities)
{
    int now = ticket_priority(input);
    out->priority = priorities->forced != 0 ? priorities->forced : priorities->best;
    if (out->priority == now || is_held(input, "priority") ||
        (input->on != RULE_ON_POSTED && now != 0 && out->priority > now))
        out->priority = 0;
    if (is_held(input, "queue"))
        out->queue = NULL;
    if (is_held(input, "assignee"))
        out->assignee = out->team = NULL;
    if (is_held(input, "kind"))
        out->kind = NULL;
    if (is_held(input, "tags"))
        out->tag_count = 0;
    if (is_held(input, "attributes"))
        out->attribute_count = 0;
}

/* ---- running ---- */

struct tracer {
    struct buf *out; /* or NULL */
    size_t count, unmatched;
};

static void trace_add(struct tracer *tracer, const char *rule, bool matched, struct span why)
{
    if (tracer->out == NULL || (!matched && ++tracer->unmatched > RULES_TRACE_MAX))
        return;
    if (why.len > WHY_KEPT) {
        why.len = WHY_KEPT;
        while (why.len > 0 && ((unsigned char)why.p[why.len] & 0xc0) == 0x80)
            why.len--;
    }
    wire_put_map(tracer->out, 3);
    wire_put_key_text(tracer->out, "rule", rule);
    wire_put_key_bool(tracer->out, "matched", matched);
    wire_put_key_str(tracer->out, "why", why);
    tracer->count++;
}

static bool rule_matches(struct rules *rules, const struct process_rule *rule, struct tracer *tracer)
{
    buf_reset(&rules->why);
    bool matched = rule->when == NULL || rules_cond(rules, rule->when);
    trace_add(tracer, rule->name, matched,
              rule->when == NULL ? span_of("always") : span_of(buf_text(&rules->why)));
    return matched;
}

/* The default speaks when nobody else did: no rule gave a priority and the ticket has none. */
static void run_default(struct rules *rules, const struct process_rule *rule, struct rules_outcome *out,
                        struct priorities *priorities, struct tracer *tracer)
{
    bool given = priorities->best != 0 || priorities->forced != 0 || ticket_priority(rules->input) != 0;
    trace_add(tracer, rule->name, !given,
              span_of(given ? "a priority is given already" : "no rule gave a priority"));
    if (given)
        return;
    out->matched++;
    outcome_add(rules->input, &rule->then, out, priorities);
}

void rules_run(struct rules *rules, const struct rules_input *input, struct rules_outcome *ret,
               struct buf *trace, size_t *ret_traced)
{
    const struct process *process = rules->process;
    struct priorities priorities = {0, 0};
    struct tracer tracer = {trace, 0, 0};
    bool stopped = false;

    memset(ret, 0, sizeof *ret);
    rules->input = input;
    buf_reset(&rules->text);
    buf_reset(&rules->reply);
    for (size_t i = 0; i < process->rule_count; i++) {
        const struct process_rule *rule = &process->rules[i];
        if (rule->is_default) { /* also after stop: a ticket never stays without a priority */
            run_default(rules, rule, ret, &priorities, &tracer);
            continue;
        }
        if (stopped || (rule->on & (unsigned)input->on) == 0 || !rule_matches(rules, rule, &tracer))
            continue;
        ret->matched++;
        outcome_add(input, &rule->then, ret, &priorities);
        stopped = rule->then.stop;
    }
    outcome_keep(input, ret, &priorities);
    rules->input = NULL;
    if (ret_traced != NULL)
        *ret_traced += tracer.count;
}

unsigned rules_on_event(const struct wire_val *event)
{
    enum desk_event kind = EVENT_DECIDED;
    bool by_customer = span_is(wire_find_str(wire_find(event, "as"), "role"), "customer");

    if (!desk_event_parse(wire_find_str(event, "kind"), &kind))
        return 0;
    switch (kind) {
    case EVENT_COMMENTED:
    case EVENT_REJECTED:
    case EVENT_DECLINED:
        return by_customer ? RULE_ON_REPLY : 0;
    case EVENT_UPDATED:
        return RULE_ON_UPDATED;
    case EVENT_REOPENED:
        return RULE_ON_REOPENED;
    case EVENT_REPEATED:
        return RULE_ON_REPEATED;
    default:
        return 0;
    }
}
