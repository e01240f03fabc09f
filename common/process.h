/* The company's process as data: priorities, packages, calendars, triage rules, policies, read from one
 * directory of YAML.
 *
 * Loaded and checked whole, all faults told at once (docs/process.md is its reference for people). What a
 * rule means is the worker's (worker/conditions.h, worker/choice.h), what a calendar means too; what a message looks like is the notifier's. Values point into the process that owns them and live as long as it. */
#ifndef DOCKET_PROCESS_H
#define DOCKET_PROCESS_H

#include "buf.h"
#include "err.h"
#include "faults.h"
#include "process_notify.h"
#include "process_people.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROCESS_BYTES_MAX = 3 * 1024 * 1024, /* all files together */
    PROCESS_FILES_MAX = 500,
    PROCESS_FILE_NAME_MAX = 128,
    PROCESS_HASH_BYTES = 65, /* 64 hex letters and NUL */
    PROCESS_PRIORITIES = 4,
    PROCESS_NAME_MAX = 64,   /* packages, calendars, queues, tags, kinds … */
    PROCESS_LOCALE_MAX = 23, /* bytes of a reader's language */
    PROCESS_WAKE_IN_LEAST_S = 60,
    PROCESS_WARNINGS_MAX = 8
};

#define PROCESS_ALWAYS "24x7" /* the calendar that is built in */

/* ---- the files ---- */

struct process_file {
    char *name;  /* relative, [A-Za-z0-9._/-], no ".." */
    char *bytes; /* a NUL follows the last byte */
    size_t len;
};

/* Sorted by name. {NULL, 0} is empty. */
struct process_files {
    struct process_file *items;
    size_t count;
};

/* Puts a copy of one file in its place. err: ERR_INVALID, field "files": name not allowed or there already,
 * too many; ERR_TOO_LARGE: over PROCESS_BYTES_MAX together. */
bool process_files_add(struct process_files *files, struct span name, struct span bytes, struct err *err)
    __attribute__((warn_unused_result));

/* Reads a directory and what lies below it; names that begin with a dot are left out. The files are added to
 * ret. err: ERR_IO, ERR_INVALID, ERR_TOO_LARGE; ret is empty then */
bool process_files_read(const char *dir, struct process_files *ret, struct err *err)
    __attribute__((warn_unused_result));

/* A map {name: bin} and back: the `files` of process.apply, welcome and process. err: as process_files_add.
 */
void process_files_encode(const struct process_files *files, struct buf *out);
bool process_files_decode(const struct wire_val *map, struct process_files *ret, struct err *err)
    __attribute__((warn_unused_result));

const struct process_file *process_files_find(const struct process_files *files, const char *name);

/* BLAKE2b-256 over names and contents with their lengths, in the order of names; lower case hex. */
void process_files_hash(const struct process_files *files, char ret[PROCESS_HASH_BYTES]);

void process_files_clear(struct process_files *files);

/* ---- calendars ---- */

/* Seconds of the wall clock: from_s < until_s <= 86400; until_s <= from_s: over midnight. */
struct process_interval {
    int32_t from_s, until_s;
};

struct process_day {
    struct process_interval *intervals;
    size_t count;
};

/* The words that a field of the ticket can have (impact, channel, …), at most FIELD_WORDS_MAX; 0: any text. */
enum { FIELD_WORDS_MAX = 16 };
size_t process_field_words(const char *field, const char *ret[FIELD_WORDS_MAX]);
bool process_field_has_word(const char *field, const char *word);

struct process;
/* Whether the zones of staff.yaml and oncall.yaml are among this machine's: each unknown one is a fault.
 * in: zone_dir  as of zone_open */
bool process_zones_check(const struct process *process, const char *zone_dir, struct faults *faults);

/* A date of the calendar's zone, as days since 1970-01-01. A holiday has no hours; a special day overrules
 * it. */
struct process_special {
    int32_t date;
    bool holiday;
    struct process_day day;
};

struct process_calendar {
    const char *name;
    const char *zone;              /* IANA name; whether the system has it is the worker's check */
    struct fault_place zone_place; /* where it is named: here, or in process.yaml */
    struct process_day week[7];    /* 0 Monday */
    struct process_special *specials;
    size_t special_count;
    const char **holiday_files; /* names in process->files */
    size_t holiday_file_count;
    struct fault_place place;
};

/* ---- packages ---- */

enum process_clock { PROCESS_RESPONSE, PROCESS_UPDATE, PROCESS_RESOLUTION, PROCESS_CLOCKS };
enum process_channel { CHANNEL_TICKET = 1, CHANNEL_IM = 2, CHANNEL_PHONE = 4 }; /* bits */

struct process_target {
    bool promised;
    int64_t seconds;
    bool working; /* of opening time; else real time */
};

/* A warning before a promise is missed: at a part of its time, or when so much of it is left. */
struct process_warning {
    int percent;              /* 1..99; 0: before_s */
    int64_t before_s;         /* of the same time as the promise counts */
    bool quiet;               /* for boards and the feed only; else the assignee is told, or the queue */
    struct fault_place place; /* where it was written; {NULL}: it is built in */
};

struct process_package {
    const char *name;
    unsigned channels; /* bits of enum process_channel */
    unsigned meetings; /* CHANNEL_IM, CHANNEL_PHONE */
    int64_t weight;    /* 1..1000: its share when the desk is busy */
    const char *calendar;
    int64_t grace_s;                  /* a promise of 0 is judged against this */
    int64_t close_unanswered_after_s; /* resolved and silent for so long; 0: never */
    struct process_warning warnings[PROCESS_WARNINGS_MAX];
    size_t warning_count;
    struct process_target targets[PROCESS_PRIORITIES + 1][PROCESS_CLOCKS]; /* [1..4] */
    struct fault_place place;
};

/* ---- policies ---- */

enum process_unknown { UNKNOWN_ACCEPT, UNKNOWN_REFUSE };
enum process_on_reply { ON_REPLY_ASK, ON_REPLY_REJECT, ON_REPLY_KEEP };
enum { PROCESS_REMINDERS_MAX = 10 };

struct process_question {
    const char *name, *text;
};

struct process_policy {
    const char *zone;              /* of calendars that name none */
    struct fault_place zone_place; /* line 0: it is not set */
    const char *package;           /* of customers that have none, or are unknown */
    const char *calendar;          /* of packages that name none */
    enum process_unknown unknown_customer;
    enum process_on_reply on_reply_when_resolved;
    int64_t reopen_within_s;
    int64_t close_unanswered_after_s;              /* 0: never */
    int64_t meeting_reminder_s;                    /* before a meeting begins; 0: none */
    int approval_reminders[PROCESS_REMINDERS_MAX]; /* working days after resolving, rising */
    size_t approval_reminder_count;
    const char *priority_names[PROCESS_PRIORITIES + 1]; /* [1..4] */
    struct process_question *questions;                 /* what `ask` may name */
    size_t question_count;
};

/* ---- rules ---- */

enum rule_on { /* bits */
               RULE_ON_POSTED = 1,
               RULE_ON_REPLY = 2,
               RULE_ON_UPDATED = 4,
               RULE_ON_REOPENED = 8,
               RULE_ON_REPEATED = 16,
               RULE_ON_DUE = 32
};

enum rule_test {
    RULE_IS,
    RULE_IN,
    RULE_MATCHES,
    RULE_CONTAINS,
    RULE_LESS,
    RULE_MORE,
    RULE_EXISTS,
    RULE_TIME_OPEN,
    RULE_ALL,
    RULE_ANY,
    RULE_NOT,
    RULE_TESTS
};

enum rule_value_kind { RULE_TEXT, RULE_NUMBER, RULE_BOOL };

struct rule_value {
    enum rule_value_kind kind;
    const char *text; /* always, as written */
    double number;    /* RULE_NUMBER; RULE_BOOL as 0, 1 */
    bool is_whole;    /* RULE_NUMBER without a point: whole has each digit of it */
    int64_t whole;
};

struct pattern;

/* One condition: a leaf looks at a field, all, any and not look at their parts. */
struct rule_cond {
    enum rule_test test;
    const char *field;         /* "impact", "equipment.model"; NULL for time.open, all, any, not */
    struct rule_value *values; /* is, less, more, contains, matches: one; in: some */
    size_t value_count;
    struct pattern *pattern; /* matches */
    bool yes;                /* exists */
    const char *calendar;    /* time.open */
    struct rule_cond *parts;
    size_t part_count;
    struct fault_place place;
};

enum rule_audience {
    RULE_TELL_CUSTOMER = 1,
    RULE_TELL_STAFF = 2,
    RULE_TELL_OPS = 3
}; /* as enum desk_audience */

/* In one language. */
struct rule_said {
    const char *locale, *text;
};

struct rule_tell {
    enum rule_audience to;
    const char *text;       /* for all; of several languages that of the first */
    struct rule_said *said; /* in each language, as they stand; none when it is one text for all */
    size_t said_count;
};

struct rule_attribute {
    const char *name;
    struct rule_value value;
};

struct rule_texts {
    const char **items;
    size_t count;
};

/* What a rule does; what it leaves alone is 0, NULL, empty. */
struct rule_action {
    int priority; /* 1..4 */
    bool force, stop;
    const char *queue, *assignee, *team, *kind, *alert, *calendar;
    struct rule_texts tags, asks;
    struct rule_tell *tells;
    size_t tell_count;
    struct rule_attribute *attributes;
    size_t attribute_count;
    int64_t wake_in_s;
    bool wake_in_working;
};

struct process_rule {
    const char *name;
    unsigned on; /* bits of enum rule_on */
    bool is_default;
    struct rule_cond *when; /* NULL: always */
    struct rule_action then;
    struct fault_place place;
};

const char *rule_test_name(enum rule_test test);

/* ---- the whole ---- */

struct process {
    char hash[PROCESS_HASH_BYTES];
    struct process_files files; /* a copy */
    struct process_policy policy;
    struct process_calendar *calendars; /* without PROCESS_ALWAYS */
    size_t calendar_count;
    struct process_package *packages;
    size_t package_count;
    struct process_rule *rules; /* in their order; the last is the default */
    size_t rule_count;
    struct process_notify notify; /* notify.yaml */
    struct process_people people; /* staff.yaml, escalation.yaml, oncall.yaml */
    struct faults warnings;       /* allowed, but hardly meant */
    struct faults
        refusals; /* what was allowed once: refused in a version that is new, while one that is stored runs on */
    struct process_memory *memory; /* owns what the above points to */
};

/* Checks and compiles a set of files, stored ones: see process.refusals.
 * in:  files        copied
 * out: ret_process  the caller frees it with process_free; written only on success
 *      faults       every fault found, sorted; must be empty before; the caller clears it */
bool process_load_files(const struct process_files *files, struct process **ret_process,
                        struct faults *faults) __attribute__((warn_unused_result));

/* The same of a version that is to be used from now on: also what was allowed once is a fault. */
bool process_load_new(const struct process_files *files, struct process **ret_process, struct faults *faults)
    __attribute__((warn_unused_result));

/* Moves process->refusals behind the faults; true: there were none. */
bool process_refuse(struct process *process, struct faults *faults) __attribute__((warn_unused_result));

/* process_load_new of a directory; what cannot be read is a fault too. */
bool process_load_dir(const char *dir, struct process **ret_process, struct faults *faults)
    __attribute__((warn_unused_result));

void process_free(struct process *process); /* accepts NULL */

/* The package of that name; the default one when name is NULL or not known (it is always there). */
const struct process_package *process_package_find(const struct process *process, struct span name);
bool process_package_known(const struct process *process, struct span name);

/* Whether readers of a locale are told in its language: it is English, or there are templates in it. */
bool process_speaks(const struct process *process, struct span locale);
/* Tells that a name is none of packages.yaml's, and which are; false. */
bool process_package_refuse(const struct process *process, const char *what, const char *name,
                            struct fault_place place, struct faults *faults);

/* Weight of the package, of the default one when it is not known. */
int64_t process_package_weight(const struct process *process, struct span package);

/* NULL for PROCESS_ALWAYS and what is not known. */
const struct process_calendar *process_calendar_find(const struct process *process, const char *name);

/* The text of a question of `ask`; NULL when there is none. */
const char *process_question_find(const struct process *process, const char *name);

/* "0m", "30s", "15m", "6h", "2d", "6h working" (no days with working), up to 400 days. Without a unit:
 * refused. */
bool process_duration_parse(const char *text, int64_t *ret_seconds, bool *ret_working)
    __attribute__((warn_unused_result));

/* "ticket", "im", "phone": a bit. */
unsigned process_channel_parse(struct span name); /* 0: not known */

#endif
