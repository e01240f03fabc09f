/* docket-notifier render KIND --ticket FILE: a message as it would go out, from a process directory and facts in JSON. Sends nothing and asks
 * no database. */
#include "channel.h"
#include "desk.h"
#include "instant.h"
#include "offline.h"
#include "process.h"
#include "render.h"
#include "template_names.h"
#include "zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_REFUSED = 1, STATUS_USAGE = 2, FILE_BYTES_MAX = 1 << 20, NAME_BYTES = 200 };
#define ZONEINFO "/usr/share/zoneinfo"

static const char usage[] =
    "usage: docket-notifier render KIND --ticket FILE [--process DIR] [--suffix txt|im|speech|sms|json] "
    "[--html]\n"
    "\n"
    "FILE is a JSON map of facts: to_staff (true, false), tracking, title, customer, name, assignee, state, "
    "priority, posted_at, "
    "locale, desk_locale, zone, link,\n"
    "code, by_mail, attachments, inhibited, alert, alert_cause, alert_priority, problem, contact {…}, body "
    "{…}, triaged "
    "{…}, asked {…}, members [{id, "
    "title, kind, priority, alert}].\n"
    "The text is as long, and its digits as far apart, as on the channel with that suffix. Without --process "
    "the shipped templates are used.\n";

struct options {
    const char *kind, *ticket, *process, *suffix;
    bool html;
};

/* What the facts point into. */
struct holder {
    struct wire_doc *doc;
    struct process *process; /* NULL: the shipped templates, and nobody is known */
    struct buf body, earlier, triaged, asked, members, member_bodies, member_links, record, extra;
    char tracking[NAME_BYTES], name[NAME_BYTES], link[1024], code[NAME_BYTES], desk_locale[LOCALE_BYTES];
    struct zones *zones;
};

static bool options_read(int argc, char **argv, struct options *ret)
{
    *ret = (struct options){.suffix = "txt"};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--ticket") == 0 && i + 1 < argc)
            ret->ticket = argv[++i];
        else if (strcmp(argv[i], "--process") == 0 && i + 1 < argc)
            ret->process = argv[++i];
        else if (strcmp(argv[i], "--suffix") == 0 && i + 1 < argc)
            ret->suffix = argv[++i];
        else if (strcmp(argv[i], "--html") == 0)
            ret->html = true;
        else if (argv[i][0] != '-' && ret->kind == NULL)
            ret->kind = argv[i];
        else
            return false;
    }
    return ret->kind != NULL && ret->ticket != NULL;
}

static bool file_read(const char *path, struct buf *out, struct err *err)
{
    FILE *from = fopen(path, "re");
    char bytes[4096];
    size_t n;

    if (from == NULL)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    errno = 0;
    while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
        (void)buf_add(out, bytes, n);
    int fault = ferror(from) ? errno : 0;
    (void)fclose(from);
    if (fault != 0)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(fault));
    return !out->failed || err_set(err, ERR_TOO_LARGE, "%s: more than %d bytes", path, FILE_BYTES_MAX);
}

/* The process of a directory, checked whole as when it is applied. */
static bool load_process(struct templates *templates, const char *dir, struct process **ret,
                         struct faults *faults, struct err *err)
{
    struct buf bytes;

    if (dir == NULL)
        return true;
    if (!process_load_dir(dir, ret, faults))
        return faults_to_err(faults, ERR_INVALID, err);
    buf_init(&bytes, 2 * (size_t)PROCESS_BYTES_MAX);
    process_files_encode(&(*ret)->files, &bytes);
    bool ok = templates_load(templates, buf_span(&bytes), err);
    buf_clear(&bytes);
    return ok;
}

/* ---- facts ---- */

static const char *copy_text(const struct wire_val *map, const char *key, char *to, size_t size)
{
    struct span text = wire_find_str(map, key);
    (void)snprintf(to, size, "%.*s", (int)text.len, text.len == 0 ? "" : text.p);
    return to;
}

static struct span keep(struct buf *buf, const struct wire_val *value)
{
    buf_init(buf, FILE_BYTES_MAX);
    if (wire_type(value) == WIRE_NIL)
        return SPAN_NONE;
    wire_put_val(buf, value);
    return buf_span(buf);
}

static int64_t instant_of(const struct wire_val *map, const char *key)
{
    struct span text = wire_find_str(map, key);
    int64_t at = wire_find_int(map, key, 0);
    if (text.len != 0)
        (void)instant_parse(text, &at);
    return at;
}

static struct facts facts_of(struct holder *h, const char *kind)
{
    const struct wire_val *root = wire_root(h->doc);
    enum desk_state state = STATE_NEW;
    struct span locale = wire_find_str(root, "locale");

    (void)desk_state_parse(wire_find_str(root, "state"), &state);
    buf_init(&h->record, 1024);
    wire_put_map(&h->record, 1);
    wire_put_key_str(&h->record, "locale", locale.len == 0 ? span_of("en") : locale);
    return (struct facts){.kind = kind,
                          .tracking = copy_text(root, "tracking", h->tracking, sizeof h->tracking),
                          .recipient = copy_text(root, "name", h->name, sizeof h->name),
                          .people = h->process == NULL ? NULL : &h->process->people,
                          .tracking_prefix = "DKT",
                          .link =
                              copy_text(root, "link", h->link, sizeof h->link)[0] == '\0' ? NULL : h->link,
                          .zone = zones_find(h->zones, wire_find_str(root, "zone")),
                          .title = wire_find_str(root, "title"),
                          .customer = wire_find_str(root, "customer"),
                          .assignee = wire_find_str(root, "assignee"),
                          .by_mail = wire_find_bool(root, "by_mail", false),
                          .attachments = (int)wire_find_int(root, "attachments", 0),
                          .state = (int)state,
                          .priority = (int)wire_find_int(root, "priority", 0),
                          .posted_at = instant_of(root, "posted_at"),
                          .record = buf_span(&h->record),
                          .desk_locale = copy_text(root, "desk_locale", h->desk_locale, LOCALE_BYTES)};
}

static struct span members_of(struct holder *h)
{
    const struct wire_val *members = wire_find(wire_root(h->doc), "members");

    buf_init(&h->members, FILE_BYTES_MAX);
    if (wire_type(members) == WIRE_LIST)
        wire_to_json(&h->members, members);
    return h->members.len == 0 ? SPAN_NONE : buf_span(&h->members);
}

/* Each member's own "body". */
static struct span bodies_of(struct holder *h)
{
    const struct wire_val *members = wire_find(wire_root(h->doc), "members");

    buf_init(&h->member_bodies, FILE_BYTES_MAX);
    wire_put_list(&h->member_bodies, wire_count(members));
    for (size_t i = 0; i < wire_count(members); i++) {
        const struct wire_val *body = wire_find(wire_at(members, i), "body");
        if (wire_type(body) == WIRE_MAP)
            wire_put_val(&h->member_bodies, body);
        else
            wire_put_nil(&h->member_bodies);
    }
    return buf_span(&h->member_bodies);
}

/* Each member's own "link". */
static struct span links_of(struct holder *h)
{
    const struct wire_val *members = wire_find(wire_root(h->doc), "members");

    buf_init(&h->member_links, FILE_BYTES_MAX);
    wire_put_list(&h->member_links, wire_count(members));
    for (size_t i = 0; i < wire_count(members); i++)
        wire_put_str(&h->member_links, wire_find_str(wire_at(members, i), "link"));
    return buf_span(&h->member_links);
}

/* The limit of the channel whose templates these are; 0: none. */
static size_t chars_max_of(const char *suffix)
{
    for (int i = 0; i < CHANNELS; i++)
        if (strcmp(channel_rows[i].suffix, suffix) == 0)
            return channel_table[i]->text_chars_max;
    return 0;
}

/* What names an alert is for staff, as are some kinds; of the others the facts say it. */
static void render_holder(const struct templates *templates, struct holder *h, const struct options *options,
                          struct message *ret)
{
    const struct wire_val *root = wire_root(h->doc);
    const struct facts facts = facts_of(h, options->kind);
    struct span body = keep(&h->body, wire_find(root, "body")), alert = wire_find_str(root, "alert");

    if (alert.len != 0 || template_kind_is_for_staff(options->kind) ||
        wire_find_bool(root, "to_staff", false)) {
        const struct staff_words words = {.body = body,
                                          .members = members_of(h),
                                          .member_bodies = bodies_of(h),
                                          .member_links = links_of(h),
                                          .alert = alert,
                                          .alert_cause = wire_find_str(root, "alert_cause"),
                                          .code = copy_text(root, "code", h->code, sizeof h->code)[0] == '\0'
                                                      ? NULL
                                                      : h->code,
                                          .inhibited = wire_find_int(root, "inhibited", 0),
                                          .problem = wire_find_str(root, "problem"),
                                          .extra = keep(&h->extra, root), /* which has its contact */
                                          .alert_priority = (int)wire_find_int(root, "alert_priority", 0)};
        render_to_staff(templates, &facts, &words, options->suffix, chars_max_of(options->suffix), ret);
        return;
    }
    const struct customer_words words = {.body = body,
                                         .earlier = keep(&h->earlier, wire_find(root, "earlier")),
                                         .triaged =
                                             strncmp(options->kind, "received", strlen("received")) == 0
                                                 ? keep(&h->triaged, wire_find(root, "triaged"))
                                                 : SPAN_NONE,
                                         .asked = keep(&h->asked, wire_find(root, "asked")),
                                         .members = members_of(h),
                                         .member_bodies = bodies_of(h),
                                         .member_links = links_of(h)};
    render_to_customer(templates, &facts, &words, options->suffix, chars_max_of(options->suffix), ret);
}

static bool facts_read(const char *path, struct holder *h, struct err *err)
{
    struct buf json, bytes;

    buf_init(&json, FILE_BYTES_MAX);
    buf_init(&bytes, 2 * (size_t)FILE_BYTES_MAX);
    bool ok = file_read(path, &json, err);
    if (ok && (!wire_from_json(&bytes, buf_text(&json), json.len, err) ||
               !wire_parse(buf_text(&bytes), bytes.len, WIRE_DEPTH_MAX, &h->doc, err)))
        ok = wire_json_in_file(err, path, 1);
    if (ok && wire_type(wire_root(h->doc)) != WIRE_MAP)
        ok = err_set(err, ERR_INVALID, "%s:1:1: want a map of facts", path);
    buf_clear(&json);
    buf_clear(&bytes);
    return ok;
}

/* ---- the command ---- */

static int print_message(const struct templates *templates, struct holder *h, const struct options *options)
{
    struct message message;
    int status = EXIT_SUCCESS;

    message_init(&message);
    render_holder(templates, h, options, &message);
    if (message.is_builtin) {
        (void)fprintf(stderr, "docket-notifier: %s; these plain words would go out:\n", message.why);
        status = STATUS_REFUSED;
    }
    if (options->html) {
        (void)fputs(buf_text(&message.html), stdout);
    } else {
        (void)printf("Subject: %s\n\n%s", buf_text(&message.subject), buf_text(&message.text));
    }
    message_clear(&message);
    return status;
}

int offline_render(int argc, char **argv)
{
    struct options options;
    struct holder h = {.zones = NULL};
    struct faults faults = {0};
    struct err err = {.code = ERR_NONE};
    int status = STATUS_REFUSED;

    if (!options_read(argc, argv, &options)) {
        (void)fputs(usage, stderr);
        return STATUS_USAGE;
    }
    if (!template_kind_is_known(options.kind)) {
        (void)fprintf(stderr,
                      "docket-notifier: %s: no message is called so; docs/templates.md lists the kinds\n",
                      options.kind);
        return STATUS_REFUSED;
    }
    struct templates *templates = templates_new();
    h.zones = zones_new(ZONEINFO);
    if (load_process(templates, options.process, &h.process, &faults, &err) &&
        facts_read(options.ticket, &h, &err))
        status = print_message(templates, &h, &options);
    else
        faults_report(stderr, "docket-notifier", &faults, &err);
    faults_clear(&faults);
    wire_doc_free(h.doc);
    buf_clear(&h.body);
    buf_clear(&h.triaged);
    buf_clear(&h.asked);
    buf_clear(&h.earlier);
    buf_clear(&h.members);
    buf_clear(&h.member_bodies);
    buf_clear(&h.member_links);
    buf_clear(&h.record);
    buf_clear(&h.extra);
    process_free(h.process);
    zones_free(h.zones);
    templates_free(templates);
    return status;
}
