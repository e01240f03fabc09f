/* What the files of the process's loader share. Not for others. */
#ifndef DOCKET_PROCESS_INTERNAL_H
#define DOCKET_PROCESS_INTERNAL_H

#include "process.h"
#include "yaml_node.h"
#include "zone.h"

enum { PROCESS_TEXT_MAX = 4000, PROCESS_PATTERN_MAX = 2000 };

/* An empty one; everything that it points to is freed with it. */
struct process *process_new(void);
void *process_alloc(struct process *process, size_t count, size_t size);
char *process_text(struct process *process, const char *text);
/* Takes the pattern. */
void process_keep_pattern(struct process *process, struct pattern *pattern);

/* A load under way. The trees live until it ends; places point to names in process->files. */
struct load {
    struct process *process;
    struct faults *faults;
    /* Files that could not be read: what others say of their names is not judged, for it may well be right. */
    bool policy_unread, calendars_unread, packages_unread;
};

/* A word: [A-Za-z0-9._-], at most PROCESS_NAME_MAX. Copies it. */
bool load_name(struct load *load, const struct yaml_node *node, const char *what, const char **ret);
/* The same, where : is a letter as well: region:emea. */
bool load_tag(struct load *load, const struct yaml_node *node, const char *what, const char **ret);
/* Text that people read, at most PROCESS_TEXT_MAX. */
bool load_text(struct load *load, const struct yaml_node *node, const char *what, const char **ret);
/* A name that people read, of at most max bytes. One that is new must be one line without control characters. */
bool load_line(struct load *load, const struct yaml_node *node, const char *what, size_t max,
               const char **ret);
/* want: the allowed names, count of them; ret their index. */
bool load_choice(struct load *load, const struct yaml_node *node, const char *what, const char *const *want,
                 size_t count, size_t *ret);
/* close_unanswered_after: `~` is never. 0 was never too, which nobody guesses: refused in what is new. */
bool load_close_after(struct load *load, const struct yaml_node *node, int64_t *ret_s);
bool load_duration(struct load *load, const struct yaml_node *node, const char *what, int64_t *ret_s,
                   bool *ret_working);
/* form: what would be right there, for people to copy */
bool load_is_map(struct load *load, const struct yaml_node *node, const char *what, const char *form);
bool load_is_list(struct load *load, const struct yaml_node *node, const char *what, const char *form);
/* A list's or a map's entries, counted before any is read. */
bool load_at_most(struct load *load, const struct yaml_node *node, const char *what, size_t most);
/* A scalar or a list of scalars seen as a list: how many, and the i-th. */
size_t node_many(const struct yaml_node *node);
const struct yaml_node *node_one(const struct yaml_node *node, size_t i);
bool load_calendar_known(struct load *load, const struct yaml_node *node, const char *name);

/* "09:00", "24:00" to seconds of the day; "2026-03-29" to days; {mon-fri: [09:00-17:00]} to seven days. */
bool load_time(struct load *load, const struct yaml_node *node, const char *what, int32_t *ret_s);
bool load_date(struct load *load, const struct yaml_node *node, const char *what, int32_t *ret_days);
bool load_week(struct load *load, const struct yaml_node *map, struct process_day week[7]);
bool load_zone_name(struct load *load, const struct yaml_node *node, const char **ret);
/* One name or a list of them, each read by one, none twice. */
typedef bool load_one_fn(struct load *load, const struct yaml_node *node, const char *what, const char **ret);
bool load_name_list(struct load *load, const struct yaml_node *node, const char *what, load_one_fn *one,
                    struct process_names *ret);
/* A name of staff.yaml. */
bool load_person(struct load *load, const struct yaml_node *node, const char *what, const char **ret);

/* Of escalation.yaml: words of targets ("assignee" alone, "team:noc") and urgencies; the policy that is built in. */
struct process_target_row {
    const char *word;
    bool named;
};
extern const struct process_target_row process_target_rows[TARGET_KINDS];
extern const char *const process_urgency_names[URGENCIES];
extern const struct process_escalation process_escalation_built_in;
const struct process_escalation *process_policy_find(const struct process_people *people, const char *name);

/* Tells when a target names a person, team or schedule that is not in its file. */
bool load_target_known(struct load *load, const struct yaml_node *node, const char *what,
                       const struct people_target *target);

/* faults_hint of the names of count things of one kind, each of which begins with its name. */
void names_hint(const void *things, size_t count, size_t thing_bytes, const char *name,
                char ret[FAULTS_HINT_BYTES]);
#define NAMES_HINT(things, count, name, ret) names_hint(things, count, sizeof *(things), name, ret)

/* The parts, in the order in which they need one another. */
bool load_policy(struct load *load, const struct yaml_node *root);
bool load_calendars(struct load *load, const struct yaml_node *root);
bool load_packages(struct load *load, const struct yaml_node *root, const struct yaml_node *policy_root);
bool load_rules(struct load *load, const struct yaml_node *root);
bool load_rules_end(struct load *load);
/* What rules may say, but hardly mean. Only of rules without faults. */
void load_rules_warn(struct load *load);
bool load_staff(struct load *load, const struct yaml_node *root);
bool load_oncall(struct load *load, const struct yaml_node *root);
bool load_escalation(struct load *load, const struct yaml_node *root);
/* Levels that name more people than a step tells. Only of policies and people without faults. */
void load_crowds(struct load *load);
void load_templates(struct load *load);
bool load_notify(struct load *load, const struct yaml_node *root);
bool load_webhooks(struct load *load, const struct yaml_node *root);
bool load_rule_value(struct load *load, const struct yaml_node *node, const char *what,
                     struct rule_value *ret);
bool load_cond(struct load *load, const struct yaml_node *map, unsigned depth, struct rule_cond *ret);

/* What a field is. */
enum field_kind { FIELD_NONE, FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_LIST, FIELD_ANY };

/* FIELD_NONE when there is no such field. */
enum field_kind process_field_kind(const char *field);
/* faults_hint of a field that there is none of. */
void process_field_hint(const char *field, char ret[FAULTS_HINT_BYTES]);

#endif
