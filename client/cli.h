/* What the files of the command line share: its tables, what was given, where to print.
 *
 * A command is a row: from it come parsing, the body of the request, --help, the man page, docs/cli.md and
 * the shell completion. */
#ifndef DOCKET_CLI_H
#define DOCKET_CLI_H

#include "docket.h"

#include "buf.h"
#include "err.h"
#include "wire.h"

#include <stdio.h>

/* Exit statuses (docs/protocol.md, "The command line"). */
enum cli_exit {
    CLI_DONE = 0,
    CLI_REFUSED = 1,
    CLI_USAGE = 2,
    CLI_NO_ANSWER = 3,
    CLI_NOTHING = 4,
    CLI_INTERRUPTED = 130
};

enum { CLI_GIVEN_MAX = 1024, CLI_STDIN_BYTES_MAX = 4 * 1024 * 1024, CLI_FILE_BYTES_MAX = 4 * 1024 * 1024 };

enum cli_kind {
    CLI_TEXT,  /* "-" reads standard input */
    CLI_LIST,  /* commas, or given again; "-" reads lines of standard input */
    CLI_PAIRS, /* name=value, given again for more; name:=JSON for other than text */
    CLI_INT,
    CLI_FLAG,
    CLI_TIME /* an instant, see cli_time_parse */
};

struct cli_option {
    const char *name; /* "due-before-at" */
    enum cli_kind kind;
    const char *field;    /* of the body, "set.title" for one inside a map; NULL: the name with _ for - */
    const char *value;    /* what --help calls the value; NULL: by kind */
    const char *words;    /* allowed values "a|b|c" (for help and completion; the broker judges); NULL: any */
    const char *fallback; /* the default, for help; NULL: none */
    const char *help;
    bool local;    /* for the command itself, not for the body */
    bool required; /* asked for before anything is sent */
};

enum cli_positional { CLI_POS_NONE, CLI_POS_ONE, CLI_POS_OPTIONAL, CLI_POS_MANY, CLI_POS_UP_TO_TWO };

struct cli;
struct cli_args;

struct cli_command {
    const char *name; /* "process apply" */
    const char *op;   /* of the request; NULL: none, or several of its own */
    enum cli_positional positional;
    const char *positional_name;  /* "TRACKING" */
    const char *positional_field; /* NULL: not for the body */
    bool positional_is_int;
    const struct cli_option *options; /* ends with a row without name */
    /* NULL: build the body, ask, print. */
    enum cli_exit (*run)(struct cli *cli, const struct cli_args *args);
    /* NULL: cli_print_any. */
    void (*print)(struct cli *cli, const struct wire_val *body);
    const char *help;
    const char *example; /* what follows "docket " */
    bool json_lines;     /* --json prints each item of the answer's list on its own line */
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;
extern const struct cli_option cli_global_options[];

/* One option or positional as given; value points into argv. */
struct cli_given {
    const struct cli_option *option;
    const char *value;
};

struct cli_args {
    const struct cli_command *command; /* NULL: none given */
    const char *group;                 /* the word "alert" of "alert list"; NULL: none */
    struct cli_given given[CLI_GIVEN_MAX];
    size_t given_count;
    const char *positional[CLI_GIVEN_MAX];
    size_t positional_count;
    bool help, version, man, markdown, sample; /* an option, or the word `help` or `version` in front */
};

/* The running command. */
struct cli {
    struct docket_client *client; /* made by cli_connect */
    FILE *out;
    const struct cli_args *args;
    struct buf brokers; /* comma-separated */
    int timeout_ms;
    struct buf as_name;
    struct buf as_role;
    bool json, utc, colour;
    size_t columns;  /* of the terminal that out is; 0: it is none */
    bool stdin_read; /* standard input can be read only once */
};

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t cli_interrupted;

/* ---- cli_options.c ---- */

/* Sorts argv into args. Options may stand before or after the command. err: ERR_INVALID, what is wrong and
 * allowed. */
bool cli_args_parse(int argc, char *const *argv, struct cli_args *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Whether what the command cannot do without was given. err: ERR_INVALID, names all that is missing. */
bool cli_args_check_required(const struct cli_args *args, struct err *err)
    __attribute__((warn_unused_result));

const struct cli_command *cli_command_find(const char *name);
bool cli_command_changes(const struct cli_command *command); /* its op takes a key */

/* Options of every command that changes something, and of those that change a ticket; of others none. Ends with a name of NULL. */
const struct cli_option *cli_change_options(const struct cli_command *command);

/* The option of that name of this command, of the common or the global ones; NULL: unknown. */
const struct cli_option *cli_option_find(const struct cli_command *command, const char *name, size_t len);

/* The last value given for an option, or fallback. "" for a flag that was given. */
const char *cli_args_value(const struct cli_args *args, const char *name, const char *fallback);
bool cli_args_has(const struct cli_args *args, const char *name);

/* "due-before-at" to "due_before_at", or the option's own field. ret: 64 bytes. */
void cli_option_field(const struct cli_option *option, char *ret, size_t size);

/* Whole number, all of the text. */
bool cli_int_parse(const char *text, int64_t *ret);

/* ---- cli_body.c ---- */

/* Builds the body from what was given: options, positionals, as. Reads standard input for "-".
 * err: ERR_INVALID  a value that cannot be read; ERR_IO  standard input */
bool cli_body_build(struct cli *cli, const struct cli_args *args, struct docket_body *body, struct err *err)
    __attribute__((warn_unused_result));

/* Adds {name, role} of who acts. */
void cli_body_put_as(const struct cli *cli, struct docket_body *body);

/* A file whole, "-": standard input. The caller frees *ret_text. err: ERR_IO, ERR_TOO_LARGE. */
bool cli_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len, struct err *err)
    __attribute__((warn_unused_result));

/* ---- cli_connect.c ---- */

/* Options, environment, files: brokers, time-out, who acts, how to print. err: ERR_INVALID, ERR_IO. */
bool cli_configure(struct cli *cli, const struct cli_args *args, struct err *err)
    __attribute__((warn_unused_result));
void cli_clear(struct cli *cli);

/* A commented docket.yaml. */
void cli_print_sample_config(FILE *to);

/* Makes cli->client. Prints what is wrong. */
bool cli_connect(struct cli *cli);

/* ---- cli_run.c ---- */

enum cli_exit cli_run(struct cli *cli, const struct cli_args *args);

/* Asks and gives the answer's body; prints the refusal and writes *ret_exit when there is none.
 * The caller frees *ret_answer, which *ret_body points into, in any case. */
bool cli_ask(struct cli *cli, const char *op, struct docket_body *body, struct docket_answer **ret_answer,
             const struct wire_val **ret_body, enum cli_exit *ret_exit);

/* "docket: CODE: message" on standard error; gives the exit status. */
enum cli_exit cli_report(const struct docket_error *error);
enum cli_exit cli_report_err(const struct err *err, enum cli_exit status);
enum cli_exit cli_usage_error(const struct cli_args *args, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a value as one line of JSON. */
void cli_print_json(struct cli *cli, const struct wire_val *val);

/* A list of texts, a line each on standard error: what was done and is hardly meant. */
void cli_print_warnings(const struct wire_val *warnings);

/* ---- cli_time.c ---- */

/* Reads an instant: RFC 3339; "2026-11-24 10:00[:00]" or a date alone (local time); "now"; "+2h", "-30m" (s,
 * m, h, d) from now; µs since the epoch. err: ERR_INVALID. */
bool cli_time_parse(const char *text, int64_t now_us, int64_t *ret_us, struct err *err)
    __attribute__((warn_unused_result));

enum { CLI_TIME_BYTES = 40 };

/* Local "2026-11-24 10:00:00", or RFC 3339 in UTC. */
void cli_time_format(int64_t at_us, bool utc, char ret[CLI_TIME_BYTES]);

/* "2h05m", "45s", "-3d04h". ret: 32 bytes. */
void cli_span_format(int64_t seconds, char *ret, size_t size);

/* ---- cli_text.c ---- */

enum cli_cell {
    CLI_CELL_ANY,
    CLI_CELL_TIME,
    CLI_CELL_PRIORITY,
    CLI_CELL_SPAN,
    CLI_CELL_HASH,
    CLI_CELL_FIELDS /* a map of fields of the protocol: each shown as its name says */
};

struct cli_column {
    const char *key; /* of the item's map */
    const char *title;
    enum cli_cell kind;
    size_t width_max; /* cut there with an ellipsis; 0: not */
};

struct cli_style {
    bool colour, utc;
    size_t columns; /* of the terminal: tables are cut to it; 0: nothing is cut for it */
};

/* Appends text with what could steer a terminal (control and direction characters) made visible. lines: \n
 * stays. */
void cli_text_put(struct buf *out, struct span text, bool lines);

/* Columns a text takes on a terminal. */
size_t cli_text_width(struct span text);

/* How the value of a field of the protocol is shown. Names that people chose (equipment, attributes) are none of its. */
enum cli_cell cli_key_cell(struct span key);

/* One value for people. */
void cli_cell_put(struct buf *out, const struct wire_val *val, enum cli_cell kind, struct cli_style style);

/* A list of maps as an aligned table with a head; columns without any value are left out. */
void cli_table_put(struct buf *out, const struct wire_val *list, const struct cli_column *columns,
                   size_t count, struct cli_style style);

/* Appends text in a colour ("1", "31": the numbers of SGR) when style has colours. */
void cli_colour_put(struct buf *out, struct cli_style style, const char *sgr, const char *text);

/* ---- cli_print.c: an answer's body for people ---- */

struct cli_style cli_style_of(const struct cli *cli);

void cli_print_any(struct cli *cli, const struct wire_val *body);
/* A list as a table: one of several in an answer, of which one tells how to go on. */
void cli_print_rows(struct cli *cli, const struct wire_val *list, const struct cli_column *columns,
                    size_t count);
/* The answer's list of that name as a table, and how to go on. */
void cli_print_list(struct cli *cli, const struct wire_val *body, const char *key,
                    const struct cli_column *columns, size_t count);
/* A message, its state, and below it how it went with each recipient. */
void cli_message_put(struct buf *out, const struct wire_val *message, struct cli_style style);
void cli_print_submitted(struct cli *cli, const struct wire_val *body);
void cli_print_ticket(struct cli *cli, const struct wire_val *body);
void cli_print_tickets(struct cli *cli, const struct wire_val *body);
void cli_print_version(struct cli *cli, const struct wire_val *body);
void cli_print_explain(struct cli *cli, const struct wire_val *body);
void cli_print_event(struct cli *cli, const struct wire_val *event);
void cli_print_processes(struct cli *cli, const struct wire_val *body);
void cli_print_customers(struct cli *cli, const struct wire_val *body);
void cli_print_deadlines(struct cli *cli, const struct wire_val *body);
void cli_print_dead(struct cli *cli, const struct wire_val *body);

/* ---- cli_notices.c: messages to people ---- */

void cli_print_notifications(struct cli *cli, const struct wire_val *body);
void cli_print_notification(struct cli *cli, const struct wire_val *body);
void cli_print_mutes(struct cli *cli, const struct wire_val *body);
void cli_print_why(struct cli *cli, const struct wire_val *body);

/* ---- cli_alerts.c: alerts and the on-call plan ---- */

void cli_print_alerts(struct cli *cli, const struct wire_val *body);
void cli_print_alert(struct cli *cli, const struct wire_val *body);
void cli_print_alert_state(struct cli *cli, const struct wire_val *body);
void cli_print_who(struct cli *cli, const struct wire_val *body);
void cli_print_turns(struct cli *cli, const struct wire_val *body);
void cli_print_override(struct cli *cli, const struct wire_val *body);
enum cli_exit cli_run_alert_ack(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_oncall_export(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_staff_away(struct cli *cli, const struct cli_args *args);

/* ---- commands with a way of their own ---- */

enum cli_exit cli_run_next(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_ping(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_watch(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_import(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_customer_apply(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_apply(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_show(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_get(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_diff(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_whatif(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_simulate(struct cli *cli, const struct cli_args *args);
enum cli_exit cli_run_process_rollback(struct cli *cli, const struct cli_args *args);

/* ---- cli_completion.c: for each shell, printed from the tables ---- */

enum cli_exit cli_run_completion(struct cli *cli, const struct cli_args *args);

/* ---- cli_help.c: printed from the tables ---- */

void cli_help_all(FILE *to);
void cli_help_command(FILE *to, const struct cli_command *command);
void cli_help_group(FILE *to, const char *group); /* "process": its commands */
bool cli_help_is_group(const char *name);
void cli_help_man(FILE *to);
void cli_help_markdown(FILE *to);

#endif
