/* A past ticket replayed; see replay.h. */
#include "replay.h"

#include "instant.h"
#include "trial.h"

enum { BYTES_MAX = 8 << 20, DEPTH_MAX = 32, NAME_BYTES = 129 };

/* Which op leaves which event. */
static const struct {
    const char *kind, *op;
} ops[] = {{"commented", "comment"},
           {"taken", "take"},
           {"assigned", "assign"},
           {"released", "release"},
           {"updated", "update"},
           {"waiting", "wait"},
           {"resumed", "resume"},
           {"prioritized", "prioritize"},
           {"meeting", "meeting"},
           {"resolved", "resolve"},
           {"approved", "approve"},
           {"rejected", "reject"},
           {"closed", "close"},
           {"reopened", "reopen"},
           {"agreed", "agree"},
           {"declined", "decline"},
           {"cannot_resolve", "cannot_resolve"}};

static const char *op_of(const struct wire_val *event, enum desk_role role)
{
    struct span kind = wire_find_str(event, "kind");

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (span_is(kind, ops[i].kind))
            return i == 0 && role == ROLE_CUSTOMER ? "reply" : ops[i].op;
    return NULL;
}

/* The event's body, and whether it is public, as the op would have it. */
static bool body_make(const struct wire_val *event, struct buf *out, struct wire_doc **ret, struct err *err)
{
    const struct wire_val *body = wire_find(event, "body");

    struct wire_map map = wire_map_open(out);
    for (size_t i = 0; i < wire_count(body); i++) {
        wire_put_str(out, wire_key_at(body, i));
        wire_put_val(out, wire_val_at(body, i)), map.count++;
    }
    wire_put_key_bool(out, "public", wire_find_bool(event, "public", false)), map.count++;
    wire_map_close(out, &map);
    return wire_parse(out->p, out->len, DEPTH_MAX, ret, err);
}

static int64_t at_of(const struct wire_val *event)
{
    struct span text = wire_find_str(event, "at");
    int64_t at = wire_find_int(event, "at", 0);

    if (text.len != 0)
        (void)instant_parse(text, &at);
    return at;
}

static bool replay_event(struct trial *trial, const struct wire_val *event, struct err *err)
{
    struct span name = wire_find_str(wire_find(event, "as"), "name");
    enum desk_role role = ROLE_SYSTEM;
    struct wire_doc *body = NULL;
    char who[NAME_BYTES];
    struct buf out;

    (void)desk_role_parse(wire_find_str(wire_find(event, "as"), "role"), &role);
    const char *op = op_of(event, role);
    if (op == NULL)
        return true; /* the desk's own */
    (void)snprintf(who, sizeof who, "%.*s", (int)name.len, name.len == 0 ? "" : name.p);
    buf_init(&out, BYTES_MAX);
    bool ok = body_make(event, &out, &body, err) &&
              trial_do(trial, op, (struct trial_as){role, who}, wire_root(body), at_of(event), err);
    wire_doc_free(body);
    buf_clear(&out);
    return ok;
}

static bool same_verdicts(const struct trial *trial, const struct simulated *one, struct err *err)
{
    int64_t met[CLOCK_KINDS] = {0}, missed[CLOCK_KINDS] = {0};

    for (size_t i = 0; i < trial_verdict_count(trial); i++) {
        const struct work_verdict *v = trial_verdict(trial, i);
        *(v->missed ? &missed[v->kind] : &met[v->kind]) += 1;
    }
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        if (met[k] != one->clocks[k].met || missed[k] != one->clocks[k].missed)
            return err_set(err, ERR_INTERNAL,
                           "%s: step by step %lld met, %lld missed; in one %lld and %lld%s",
                           clock_kind_name((enum clock_kind)k), (long long)met[k], (long long)missed[k],
                           (long long)one->clocks[k].met, (long long)one->clocks[k].missed,
                           one->wake_in ? ", without the rules on: [due]" : "");
    return true;
}

static bool rules_choose_calendars(const struct process *process)
{
    for (size_t i = 0; i < process->rule_count; i++)
        if (process->rules[i].then.calendar != NULL)
            return true;
    return false;
}

/* What explain says of the ticket as it is stored. */
static bool same_explained(const struct engine *engine, struct decider *decider, const struct trial *trial,
                           int64_t now, struct err *err)
{
    struct wire_doc *work = NULL, *told = NULL;
    struct buf body, out;

    buf_init(&body, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    trial_put_work(trial, now, &body);
    bool ok = wire_parse(body.p, body.len, DEPTH_MAX, &work, err) &&
              decide_explain(decider, engine, wire_root(work), &out, err) &&
              wire_parse(out.p, out.len, DEPTH_MAX, &told, err);
    const struct wire_val *verify = ok ? wire_find(wire_root(told), "verify") : NULL;
    if (ok && !wire_find_bool(verify, "same", false)) {
        struct span why = wire_find_str(verify, "unknown");
        if (why.len == 0)
            (void)wire_get_str(wire_at(wire_find(verify, "differences"), 0), &why);
        ok = err_set(err, ERR_INTERNAL, "explain: %.*s", (int)why.len, why.p);
    }
    size_t verdicts = trial_verdict_count(trial), seen = (size_t)wire_find_int(verify, "verdicts", 0);
    if (rules_choose_calendars(
            engine_process(engine))) /* those of opening time may be of another calendar by now */
        seen += (size_t)wire_find_int(verify, "by_others", 0);
    if (ok && seen != verdicts && verdicts <= CLOCK_VERDICTS_MAX)
        ok = err_set(err, ERR_INTERNAL, "explain: %zu of %zu verdicts are computed again", seen, verdicts);
    wire_doc_free(work);
    wire_doc_free(told);
    buf_clear(&body);
    buf_clear(&out);
    return ok;
}

bool replay_verify(const struct engine *engine, struct decider *decider, const struct wire_val *line,
                   const struct simulated *one, struct err *err)
{
    const struct wire_val *events = wire_find(line, "events");
    struct trial *trial = NULL;

    if (!trial_new(engine, wire_find(line, "ticket"), wire_find(line, "customer"), one->posted_at, &trial,
                   err))
        return false;
    trial_ops_first(trial);
    bool ok = true;
    for (size_t i = 0; i < wire_count(events) && ok; i++) {
        /* What happened at one instant is decided together, as by the simulation. */
        trial_hold(trial,
                   i + 1 < wire_count(events) && at_of(wire_at(events, i + 1)) == at_of(wire_at(events, i)));
        ok = replay_event(trial, wire_at(events, i), err) || err_prefix(err, "events[%zu]: ", i);
    }
    ok = ok && trial_pass(trial, one->until_at, err) && same_verdicts(trial, one, err) &&
         same_explained(engine, decider, trial, one->until_at, err);
    trial_free(trial);
    return ok;
}
