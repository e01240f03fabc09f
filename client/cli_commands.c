/* The table of commands. Everything the command line knows of an op stands here; what the op means is the
 * broker's. */
#include "cli.h"

#include <string.h>

#define END          \
    {                \
        .name = NULL \
    }

#define IMPACTS "down|critical|degraded|impaired|request|question"
#define STATES "new|triaged|in_progress|waiting_customer|waiting_vendor|resolved|closed|reopened"

const struct cli_option cli_global_options[] = {
    {.name = "broker",
     .kind = CLI_LIST,
     .value = "ENDPOINT",
     .fallback = "$DOCKET_BROKERS, docket.yaml, " DOCKET_BROKER_DEFAULT,
     .help = "broker to ask; given again: the next one when it is gone",
     .local = true},
    {.name = "timeout",
     .value = "SECONDS",
     .fallback = "10",
     .help = "how long to wait for an answer, over all brokers: seconds, or with a unit as 500ms, 2m",
     .local = true},
    {.name = "as",
     .value = "NAME[:ROLE]",
     .fallback = "$DOCKET_USER, else the login name; role staff",
     .help = "who acts; roles staff, customer, system, admin",
     .local = true},
    {.name = "json", .kind = CLI_FLAG, .help = "print the answer's body as JSON", .local = true},
    {.name = "utc",
     .kind = CLI_FLAG,
     .help = "times as RFC 3339 in UTC instead of local ones",
     .local = true},
    {.name = "config",
     .value = "FILE",
     .fallback = "$XDG_CONFIG_HOME/docket/docket.yaml, /etc/docket/docket.yaml",
     .help = "settings: `brokers`, a list",
     .local = true},
    {.name = "help", .kind = CLI_FLAG, .help = "this help, or that of the command", .local = true},
    {.name = "version", .kind = CLI_FLAG, .help = "print the version", .local = true},
    {.name = "man", .kind = CLI_FLAG, .help = "print the manual page (roff)", .local = true},
    {.name = "markdown", .kind = CLI_FLAG, .help = "print the manual as Markdown", .local = true},
    {.name = "print-sample-config", .kind = CLI_FLAG, .help = "print a commented docket.yaml", .local = true},
    END};

#define KEY_OPTION                                                                 \
    {                                                                              \
        .name = "key", .fallback = "a random one",                                 \
        .help = "idempotency key: the same key with the same content is done once" \
    }

static const struct cli_option no_options[] = {END};
static const struct cli_option change_options[] = {KEY_OPTION, END};
static const struct cli_option ticket_change_options[] = {
    KEY_OPTION,
    {.name = "if-version", .kind = CLI_INT, .help = "only when the ticket is still at this version"},
    END};

const struct cli_option *cli_change_options(const struct cli_command *command)
{
    const char *field = command->positional_field;

    if (!cli_command_changes(command))
        return no_options;
    return strncmp(command->op, "ticket.", 7) == 0 && field != NULL && strcmp(field, "tracking") == 0
               ? ticket_change_options
               : change_options;
}

static const struct cli_option none[] = {END};

static const struct cli_option submit_options[] = {
    {.name = "customer", .help = "whose ticket it is", .required = true},
    {.name = "title", .help = "what is wrong, in one line", .required = true},
    {.name = "problem", .help = "what is wrong, in full", .required = true},
    {.name = "impact", .words = IMPACTS, .help = "how bad it is, as the customer sees it"},
    {.name = "equipment", .kind = CLI_PAIRS, .help = "a fact about the equipment"},
    {.name = "configuration", .kind = CLI_PAIRS, .help = "a fact about the configuration"},
    {.name = "contact", .kind = CLI_PAIRS, .help = "who is told: name=, email=, xmpp=, phone="},
    {.name = "channel", .words = "ticket|im|phone", .fallback = "ticket", .help = "how it reached us"},
    {.name = "attributes", .kind = CLI_PAIRS, .help = "a field of your own"},
    {.name = "correlation", .help = "while a ticket with it is open, this becomes an event there"},
    {.name = "take", .kind = CLI_FLAG, .help = "take it at once (staff posting for a customer)"},
    {.name = "posted-at",
     .kind = CLI_TIME,
     .help = "when it was posted, where the broker allows it (posted_at_max)"},
    END};

static const struct cli_option find_options[] = {
    {.name = "key", .help = "the key it was posted with", .required = true}, END};

static const struct cli_option show_options[] = {
    {.name = "events-after", .kind = CLI_INT, .fallback = "0", .help = "only events after this version"},
    END};

static const struct cli_option list_options[] = {
    {.name = "state", .words = STATES "|open|all", .help = "in this state, or several with commas"},
    {.name = "priority", .kind = CLI_INT, .words = "1|2|3|4", .help = "of this priority"},
    {.name = "customer", .help = "of this customer"},
    {.name = "assignee", .help = "taken by, or assigned to"},
    {.name = "queue", .help = "in this queue"},
    {.name = "tag", .help = "with this tag"},
    {.name = "overdue", .kind = CLI_FLAG, .help = "with a missed or late promise"},
    {.name = "due-before-at", .kind = CLI_TIME, .help = "with a promise due before"},
    {.name = "posted-from-at", .kind = CLI_TIME, .help = "posted then or later"},
    {.name = "posted-until-at", .kind = CLI_TIME, .help = "posted before"},
    {.name = "text", .help = "with these words"},
    {.name = "order", .words = "newest|oldest", .fallback = "newest", .help = "by when they came in"},
    {.name = "limit", .kind = CLI_INT, .fallback = "the broker's", .help = "at most so many (500 at most)"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option next_options[] = {
    {.name = "queues", .kind = CLI_LIST, .help = "only from these queues"},
    {.name = "peek", .kind = CLI_FLAG, .help = "only look, do not take"},
    END};

static const struct cli_option assign_options[] = {{.name = "staff", .help = "to whom", .required = true},
                                                   END};
static const struct cli_option reason_options[] = {{.name = "reason", .help = "why", .required = true}, END};
static const struct cli_option text_options[] = {{.name = "text", .help = "words to keep with it"}, END};

static const struct cli_option comment_options[] = {{.name = "text", .help = "what to say", .required = true},
                                                    {.name = "public",
                                                     .kind = CLI_FLAG,
                                                     .fallback = "internal",
                                                     .help = "the customer may read it, and is told"},
                                                    END};

static const struct cli_option update_options[] = {
    {.name = "title", .field = "set.title", .help = "the new title"},
    {.name = "equipment",
     .kind = CLI_PAIRS,
     .field = "set.equipment",
     .help = "the new facts about the equipment"},
    {.name = "configuration",
     .kind = CLI_PAIRS,
     .field = "set.configuration",
     .help = "the new facts about the configuration"},
    {.name = "queue", .field = "set.queue", .help = "the new queue"},
    {.name = "tags", .kind = CLI_LIST, .field = "set.tags", .help = "the new tags, all of them"},
    {.name = "attributes",
     .kind = CLI_PAIRS,
     .field = "set.attributes",
     .help = "the new fields of your own"},
    END};

static const struct cli_option prioritize_options[] = {
    {.name = "priority", .kind = CLI_INT, .words = "1|2|3|4", .help = "the new priority", .required = true},
    {.name = "reason", .help = "why", .required = true},
    END};

static const struct cli_option wait_options[] = {
    {.name = "on", .words = "customer|vendor", .help = "for whom", .required = true},
    {.name = "reason", .help = "why", .required = true},
    {.name = "vendor", .help = "which vendor (with --on vendor)"},
    {.name = "proposal", .help = "what is proposed to the customer (with --on vendor)"},
    {.name = "until-at", .kind = CLI_TIME, .help = "wake it then at the latest"},
    END};

static const struct cli_option resume_options[] = {{.name = "on",
                                                    .words = "customer|vendor",
                                                    .help = "for whom it waited"},
                                                   {.name = "reason", .help = "why"},
                                                   END};

static const struct cli_option cannot_resolve_options[] = {
    {.name = "reason", .help = "why", .required = true},
    {.name = "proposal", .help = "what is proposed to the customer", .required = true},
    END};

static const struct cli_option done_options[] = {
    {.name = "task", .kind = CLI_INT, .help = "which one, as show numbers them", .required = true},
    {.name = "text", .help = "what was done", .required = true},
    END};

static const struct cli_option meeting_options[] = {
    {.name = "medium", .words = "im|phone", .help = "by what (required for a new one)"},
    {.name = "at", .kind = CLI_TIME, .help = "when (required for a new one)"},
    {.name = "attendees", .kind = CLI_LIST, .help = "addresses (required for a new one)"},
    {.name = "duration-s", .kind = CLI_INT, .fallback = "1800", .help = "how long, in seconds"},
    {.name = "reminder-s",
     .kind = CLI_INT,
     .help = "remind of it so many seconds before; 0: never (default: as the process says)"},
    {.name = "where", .help = "room, number"},
    {.name = "meeting", .help = "which one to move or cancel; what is not said stays as it was"},
    {.name = "cancel", .kind = CLI_FLAG, .help = "cancel it"},
    END};

static const struct cli_option resolve_options[] = {
    {.name = "text", .help = "what solved it; the customer is asked to approve", .required = true}, END};

static const struct cli_option close_options[] = {
    {.name = "reason", .words = "duplicate|spam|withdrawn|migrated", .help = "why", .required = true},
    {.name = "text", .help = "in words", .required = true},
    END};

static const struct cli_option link_options[] = {{.name = "to", .help = "the other ticket", .required = true},
                                                 {.name = "as-link",
                                                  .words = "duplicate|related|child",
                                                  .help = "what this one is to the other",
                                                  .required = true},
                                                 END};

static const struct cli_option alert_list_options[] = {
    {.name = "state",
     .words = "open|acknowledged|resolved|all",
     .fallback = "open,acknowledged",
     .help = "in this state, or several with commas"},
    {.name = "priority", .kind = CLI_INT, .words = "1|2|3|4", .help = "of this priority"},
    {.name = "kind", .words = "alert|missed|dead|ops", .help = "of this kind"},
    {.name = "tracking", .help = "of this ticket"},
    {.name = "limit", .kind = CLI_INT, .fallback = "100", .help = "at most so many (500 at most)"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option alert_ack_options[] = {
    {.name = "generation",
     .kind = CLI_INT,
     .help = "only when it was not opened again since: which time it was told of"},
    {.name = "take", .kind = CLI_FLAG, .help = "take its ticket too", .local = true},
    END};

static const struct cli_option why_options[] = {{.name = "reason", .help = "why"}, END};

static const struct cli_option notification_list_options[] = {
    {.name = "state",
     .words = "pending|leased|sent|delivered|failed|dead|suppressed|merged|cancelled|held|all",
     .fallback = "failed,dead,held",
     .help = "in this state, or several with commas"},
    {.name = "tracking", .help = "of this ticket"},
    {.name = "channel", .help = "over this channel"},
    {.name = "address", .help = "to this address"},
    {.name = "limit", .kind = CLI_INT, .fallback = "100", .help = "at most so many (500 at most)"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option notification_retry_options[] = {{.name = "all",
                                                                .kind = CLI_FLAG,
                                                                .help = "all that failed (1,000 at once)"},
                                                               {.name = "reason", .help = "why"},
                                                               END};

static const struct cli_option notification_release_options[] = {
    {.name = "since", .field = "since_at", .kind = CLI_TIME, .help = "what is older stays held"},
    {.name = "discard-before",
     .field = "discard_before_at",
     .kind = CLI_TIME,
     .help = "what is older is discarded"},
    {.name = "reason", .help = "why"},
    END};

static const struct cli_option notification_mute_options[] = {
    {.name = "reason", .help = "why", .required = true},
    {.name = "until",
     .field = "until_at",
     .kind = CLI_TIME,
     .help = "the end, at most 7 days after the beginning",
     .required = true},
    {.name = "from", .field = "from_at", .kind = CLI_TIME, .fallback = "now", .help = "the beginning"},
    {.name = "customer", .help = "about this customer's tickets"},
    {.name = "tracking", .help = "about this ticket"},
    {.name = "kind", .help = "of this kind: alert, missed, dead, ops, warning, task"},
    {.name = "priority",
     .kind = CLI_INT,
     .words = "1|2|3|4",
     .fallback = "all but 1",
     .help = "of this priority"},
    {.name = "queue", .help = "about tickets in this queue"},
    {.name = "tag", .help = "about tickets with this tag"},
    END};

static const struct cli_option oncall_who_options[] = {
    {.name = "at", .kind = CLI_TIME, .fallback = "now", .help = "then"}, END};

#define TURNS_SPAN                                                                              \
    {.name = "staff", .help = "only turns of this person"},                                     \
        {.name = "from-at", .kind = CLI_TIME, .fallback = "now", .help = "from then on"},       \
    {                                                                                           \
        .name = "until-at", .kind = CLI_TIME, .fallback = "92 days later", .help = "until then" \
    }

static const struct cli_option oncall_next_options[] = {
    TURNS_SPAN,
    {.name = "limit", .kind = CLI_INT, .fallback = "50", .help = "at most so many turns (500 at most)"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option oncall_export_options[] = {
    TURNS_SPAN,
    {.name = "limit", .kind = CLI_INT, .fallback = "all", .help = "at most so many turns (500 at most)"},
    END};

static const struct cli_option oncall_override_options[] = {
    {.name = "staff", .help = "who is on call instead"},
    {.name = "replaces", .help = "instead of this person only (a swap); else instead of whoever it is"},
    {.name = "from-at", .kind = CLI_TIME, .help = "from then on"},
    {.name = "until-at", .kind = CLI_TIME, .help = "until then"},
    {.name = "reason", .help = "why"},
    {.name = "override", .kind = CLI_INT, .help = "the number of one, with --cancel"},
    {.name = "cancel", .kind = CLI_FLAG, .help = "take it back"},
    END};

static const struct cli_option staff_away_options[] = {
    {.name = "from-at", .kind = CLI_TIME, .help = "from then on", .required = true},
    {.name = "until-at", .kind = CLI_TIME, .help = "until then", .required = true},
    {.name = "to", .help = "who stands in: turns, alerts and warnings go there"},
    {.name = "tickets",
     .kind = CLI_FLAG,
     .help = "assign the open tickets to them too; after a failure the same with the same --key goes on",
     .local = true},
    {.name = "reason", .help = "why"},
    END};

static const struct cli_option deadline_list_options[] = {
    {.name = "from-at", .kind = CLI_TIME, .help = "due then or later"},
    {.name = "until-at", .kind = CLI_TIME, .help = "due before"},
    {.name = "customer", .help = "of this customer"},
    {.name = "package", .help = "of this package"},
    {.name = "priority", .kind = CLI_INT, .words = "1|2|3|4", .help = "of this priority"},
    {.name = "clock", .words = "response|update|resolution", .help = "of this clock"},
    {.name = "verdict", .words = "met|missed", .help = "with this verdict"},
    {.name = "limit", .kind = CLI_INT, .help = "at most so many"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option deadline_excuse_options[] = {
    {.name = "clock", .words = "response|update|resolution", .help = "of which promise", .required = true},
    {.name = "cycle", .kind = CLI_INT, .fallback = "1", .help = "of which cycle of its clock"},
    {.name = "reason", .help = "why", .required = true},
    END};

static const struct cli_option customer_apply_options[] = {
    {.name = "open-tickets",
     .kind = CLI_FLAG,
     .help = "also move their open tickets to the package of the record",
     .local = true},
    END};

static const struct cli_option customer_list_options[] = {
    {.name = "package", .help = "of this package"},
    {.name = "email", .help = "with a contact of this address"},
    {.name = "limit", .kind = CLI_INT, .help = "at most so many"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option page_options[] = {
    {.name = "limit", .kind = CLI_INT, .help = "at most so many"},
    {.name = "cursor", .help = "go on where an earlier list ended"},
    END};

static const struct cli_option process_apply_options[] = {
    {.name = "comment", .fallback = "empty", .help = "what changed, for the list of versions"},
    {.name = "dry-run", .kind = CLI_FLAG, .help = "only check it on all workers"},
    {.name = "recompute",
     .kind = CLI_FLAG,
     .help = "compute the clocks of all open tickets again at once, not when each wakes next"},
    END};

static const struct cli_option process_show_options[] = {
    {.name = "file", .help = "print this file of it", .local = true}, END};
static const struct cli_option process_get_options[] = {
    {.name = "dir",
     .value = "DIR",
     .fallback = "process-HASH",
     .help = "where to write the files; must not exist, or be empty",
     .local = true},
    END};
static const struct cli_option forecast_options[] = {
    {.name = "staff", .kind = CLI_INT, .fallback = "those seen lately", .help = "with so many people"}, END};
static const struct cli_option process_simulate_options[] = {
    {.name = "since",
     .value = "TIME",
     .fallback = "30d",
     .help = "tickets posted since then: 30d ago, or an instant",
     .local = true},
    END};
static const struct cli_option comment_option[] = {
    {.name = "comment", .fallback = "rollback to HASH", .help = "for the list of versions"},
    {.name = "recompute", .kind = CLI_FLAG, .help = "compute the clocks of all open tickets again at once"},
    END};

static const struct cli_option import_options[] = {
    {.name = "window",
     .kind = CLI_INT,
     .fallback = "256",
     .help = "how many may wait for their answers at the same time",
     .local = true},
    {.name = "keep-going",
     .kind = CLI_FLAG,
     .help = "also when lines are refused (that is the default; here for scripts)",
     .local = true},
    END};

static const struct cli_option watch_options[] = {
    {.name = "cursor",
     .fallback = "from now; with TRACKING from its beginning",
     .help = "go on after this event; an empty one is the very beginning",
     .local = true},
    {.name = "customer", .field = "filter.customer", .help = "only of this customer"},
    {.name = "kinds", .kind = CLI_LIST, .field = "filter.kinds", .help = "only these kinds of events"},
    {.name = "public", .kind = CLI_FLAG, .field = "filter.public", .help = "only what customers may read"},
    {.name = "from-at", .kind = CLI_TIME, .field = "filter.from_at", .help = "only from then on"},
    {.name = "count",
     .kind = CLI_INT,
     .fallback = "no end",
     .help = "end after so many events",
     .local = true},
    END};

static const struct cli_option dead_retry_options[] = {
    {.name = "all", .kind = CLI_FLAG, .help = "all of them"}, END};

#define T "DKT-4Q7K-M2P9-ZX3A-H"
#define TRACKING .positional = CLI_POS_ONE, .positional_name = "TRACKING", .positional_field = "tracking"
#define TRACKINGS .positional = CLI_POS_MANY, .positional_name = "TRACKING", .positional_field = "tracking"

#define ALERT                                                                           \
    .positional = CLI_POS_ONE, .positional_name = "ALERT", .positional_field = "alert", \
    .positional_is_int = true
#define NOTIFICATION                                                                                  \
    .positional = CLI_POS_ONE, .positional_name = "NOTIFICATION", .positional_field = "notification", \
    .positional_is_int = true
#define SCHEDULE .positional = CLI_POS_OPTIONAL, .positional_name = "SCHEDULE", .positional_field = "schedule"

const struct cli_command cli_commands[] = {
    {.name = "submit",
     .op = "ticket.submit",
     .options = submit_options,
     .print = cli_print_submitted,
     .help = "Posts a ticket and prints its tracking number.",
     .example = "submit --customer acme --title 'No calls' --problem 'All calls fail since 9:00' --impact "
                "down --equipment sbc=edge-1"},
    {.name = "find",
     .op = "ticket.find",
     .options = find_options,
     .print = cli_print_submitted,
     .help = "Tells whether a ticket was posted with this key.",
     .example = "find --key 7f3a90"},
    {.name = "show",
     .op = "ticket.show",
     TRACKING,
     .options = show_options,
     .print = cli_print_ticket,
     .help = "Shows a ticket: what it says, its clocks, who was told, its whole history.",
     .example = "show " T},
    {.name = "explain",
     .op = "ticket.explain",
     TRACKING,
     .options = none,
     .print = cli_print_explain,
     .help = "Explains why a ticket is what it is: rules that matched and that did not, clocks.",
     .example = "explain " T},
    {.name = "forecast",
     .op = "ticket.forecast",
     .options = forecast_options,
     .print = cli_print_explain,
     .help =
         "Which open tickets will miss their promise and when, and how many more people would prevent it.",
     .example = "forecast --staff 6"},
    {.name = "list",
     .op = "ticket.list",
     .options = list_options,
     .print = cli_print_tickets,
     .json_lines = true,
     .help = "Lists tickets.",
     .example = "list --state new --customer acme --limit 20"},
    {.name = "next",
     .op = "ticket.next",
     .options = next_options,
     .run = cli_run_next,
     .print = cli_print_ticket,
     .help = "Takes the most urgent unassigned ticket that waits for us; exit status 4 when there is none.",
     .example = "next --queues noc"},
    {.name = "take",
     .op = "ticket.take",
     TRACKING,
     .options = none,
     .print = cli_print_version,
     .help = "Takes a ticket: you devote yourself to it.",
     .example = "take " T},
    {.name = "assign",
     .op = "ticket.assign",
     TRACKINGS,
     .options = assign_options,
     .print = cli_print_version,
     .help = "Assigns a ticket to somebody.",
     .example = "assign " T " --staff dana"},
    {.name = "release",
     .op = "ticket.release",
     TRACKINGS,
     .options = reason_options,
     .print = cli_print_version,
     .help = "Gives a ticket back.",
     .example = "release " T " --reason 'end of shift'"},
    {.name = "comment",
     .op = "ticket.comment",
     TRACKINGS,
     .options = comment_options,
     .print = cli_print_version,
     .help = "Adds words to a ticket; internal ones unless --public.",
     .example = "comment " T " --public --text 'We are looking at your trunk.'"},
    {.name = "update",
     .op = "ticket.update",
     TRACKING,
     .options = update_options,
     .print = cli_print_version,
     .help = "Changes fields of a ticket, at least one.",
     .example = "update " T " --queue noc --tags outage,sbc"},
    {.name = "prioritize",
     .op = "ticket.prioritize",
     TRACKINGS,
     .options = prioritize_options,
     .print = cli_print_version,
     .help = "Sets the priority by hand; rules leave it alone afterwards.",
     .example = "prioritize " T " --priority 1 --reason 'whole site down'"},
    {.name = "wait",
     .op = "ticket.wait",
     TRACKINGS,
     .options = wait_options,
     .print = cli_print_version,
     .help = "Waits for the customer or a vendor; the customer is told.",
     .example = "wait " T " --on customer --reason 'need a trace'"},
    {.name = "resume",
     .op = "ticket.resume",
     TRACKINGS,
     .options = resume_options,
     .print = cli_print_version,
     .help = "Ends waiting.",
     .example = "resume " T " --reason 'trace arrived'"},
    {.name = "cannot-resolve",
     .op = "ticket.cannot_resolve",
     TRACKING,
     .options = cannot_resolve_options,
     .print = cli_print_version,
     .help = "Says that it cannot be resolved; the customer is told and asked to agree to the next steps.",
     .example = "cannot-resolve " T " --reason 'end of life' --proposal 'replace the gateway'"},
    {.name = "agree",
     .op = "ticket.agree",
     TRACKING,
     .options = text_options,
     .print = cli_print_version,
     .help = "The customer agrees to what was proposed.",
     .example = "agree " T " --as ann:customer"},
    {.name = "decline",
     .op = "ticket.decline",
     TRACKING,
     .options = text_options,
     .print = cli_print_version,
     .help = "The customer declines what was proposed.",
     .example = "decline " T " --text 'too expensive' --as ann:customer"},
    {.name = "done",
     .op = "ticket.done",
     TRACKING,
     .options = done_options,
     .print = cli_print_version,
     .help = "Says that an agreed step is done; show lists them as tasks.",
     .example = "done " T " --task 7 --text 'The gateway was replaced.'"},
    {.name = "meeting",
     .op = "ticket.meeting",
     TRACKING,
     .options = meeting_options,
     .print = cli_print_version,
     .help = "Makes, moves or cancels a meeting.",
     .example = "meeting " T " --medium phone --at +2h --attendees ann@example.com"},
    {.name = "resolve",
     .op = "ticket.resolve",
     TRACKINGS,
     .options = resolve_options,
     .print = cli_print_version,
     .help = "Resolves a ticket; the customer is asked to approve.",
     .example = "resolve " T " --text 'Certificate renewed.'"},
    {.name = "approve",
     .op = "ticket.approve",
     TRACKING,
     .options = text_options,
     .print = cli_print_version,
     .help = "Approves the resolution: closed. Staff say in --text how the customer said so.",
     .example = "approve " T " --text 'said so on the phone'"},
    {.name = "reject",
     .op = "ticket.reject",
     TRACKING,
     .options = text_options,
     .print = cli_print_version,
     .help = "Rejects the resolution: back to work.",
     .example = "reject " T " --text 'still no ringback' --as ann:customer"},
    {.name = "close",
     .op = "ticket.close",
     TRACKINGS,
     .options = close_options,
     .print = cli_print_version,
     .help = "Closes a ticket without approval.",
     .example = "close " T " --reason spam --text 'advertisement'"},
    {.name = "reopen",
     .op = "ticket.reopen",
     TRACKING,
     .options = reason_options,
     .print = cli_print_version,
     .help = "Opens a resolved or closed ticket again.",
     .example = "reopen " T " --reason 'it is back'"},
    {.name = "link",
     .op = "ticket.link",
     TRACKINGS,
     .options = link_options,
     .print = cli_print_version,
     .help = "Links a ticket to another one.",
     .example = "link " T " --to DKT-0000-0000-0001-E --as-link duplicate"},
    {.name = "alert list",
     .op = "alert.list",
     .options = alert_list_options,
     .print = cli_print_alerts,
     .json_lines = true,
     .help = "Lists alerts, newest first.",
     .example = "alert list"},
    {.name = "alert show",
     .op = "alert.show",
     ALERT,
     .options = none,
     .print = cli_print_alert,
     .help = "Shows an alert, its steps, and who was told.",
     .example = "alert show 17"},
    {.name = "alert ack",
     .op = "alert.ack",
     ALERT,
     .options = alert_ack_options,
     .run = cli_run_alert_ack,
     .print = cli_print_alert_state,
     .help = "Acknowledges an alert: nobody is called any more, unless nothing happens then.",
     .example = "alert ack 17 --take"},
    {.name = "alert unack",
     .op = "alert.unack",
     ALERT,
     .options = why_options,
     .print = cli_print_alert_state,
     .help = "Takes an acknowledgement back: it is open again, from the first level on.",
     .example = "alert unack 17"},
    {.name = "alert resolve",
     .op = "alert.resolve",
     ALERT,
     .options = why_options,
     .print = cli_print_alert_state,
     .help = "Ends an alert, and tells those who had been told.",
     .example = "alert resolve 17"},
    {.name = "oncall who",
     .op = "oncall.who",
     SCHEDULE,
     .options = oncall_who_options,
     .print = cli_print_who,
     .json_lines = false,
     .help = "Shows who is on call.",
     .example = "oncall who primary"},
    {.name = "oncall next",
     .op = "oncall.next",
     SCHEDULE,
     .options = oncall_next_options,
     .print = cli_print_turns,
     .help = "Shows the coming turns and what was changed of the plan.",
     .example = "oncall next primary --staff ada"},
    {.name = "oncall override",
     .op = "oncall.override",
     SCHEDULE,
     .options = oncall_override_options,
     .print = cli_print_override,
     .help = "Puts somebody on call, swaps a turn, or takes that back.",
     .example =
         "oncall override primary --staff ben --from-at '2026-12-24 18:00' --until-at '2026-12-25 09:00'"},
    {.name = "oncall export",
     .op = "oncall.next",
     SCHEDULE,
     .options = oncall_export_options,
     .run = cli_run_oncall_export,
     .help = "Prints the coming turns as iCalendar.",
     .example = "oncall export primary --until-at +90d"},
    {.name = "staff away",
     .op = "staff.away",
     .positional = CLI_POS_ONE,
     .positional_name = "NAME",
     .positional_field = "staff",
     .options = staff_away_options,
     .run = cli_run_staff_away,
     .print = cli_print_override,
     .help = "Somebody is away: who stands in has their turns, alerts and warnings. Refused when nobody "
             "would be on call.",
     .example = "staff away ada --from-at 2026-08-03 --until-at 2026-08-17 --to ben --tickets"},
    {.name = "deadline list",
     .op = "deadline.list",
     .options = deadline_list_options,
     .print = cli_print_deadlines,
     .json_lines = true,
     .help = "Lists promises and their verdicts, in the order of their due times.",
     .example = "deadline list --verdict missed --from-at 2026-11-01"},
    {.name = "deadline excuse",
     .op = "deadline.excuse",
     TRACKING,
     .options = deadline_excuse_options,
     .help =
         "Says why a miss was not the desk's fault (leads and admins). The verdict stays; lists show both.",
     .example = "deadline excuse " T " --clock response --reason 'their firewall was down'"},
    {.name = "customer apply",
     .op = "customer.put",
     .positional = CLI_POS_ONE,
     .positional_name = "FILE",
     .options = customer_apply_options,
     .run = cli_run_customer_apply,
     .help =
         "Puts customers' records: JSON lines, or YAML (a record, or a list of them). - is standard input. "
         "With --key the first record has that key, the second KEY-2, and so on.",
     .example = "customer apply customers.yaml"},
    {.name = "customer show",
     .op = "customer.get",
     .positional = CLI_POS_ONE,
     .positional_name = "ID",
     .positional_field = "id",
     .options = none,
     .help = "Shows a customer's record.",
     .example = "customer show acme"},
    {.name = "customer list",
     .op = "customer.list",
     .options = customer_list_options,
     .print = cli_print_customers,
     .help = "Lists customers.",
     .example = "customer list --package gold"},
    {.name = "process apply",
     .op = "process.apply",
     .positional = CLI_POS_ONE,
     .positional_name = "DIR",
     .options = process_apply_options,
     .run = cli_run_process_apply,
     .help = "Makes the process in DIR current on all workers, or tells all its errors.",
     .example = "process apply deploy/process --comment 'gold gets an hour'"},
    {.name = "process show",
     .op = "process.get",
     .positional = CLI_POS_OPTIONAL,
     .positional_name = "HASH",
     .options = process_show_options,
     .run = cli_run_process_show,
     .help = "Shows the files of a version of the process (default: the current one).",
     .example = "process show --file rules/10-outage.yaml"},
    {.name = "process list",
     .op = "process.list",
     .options = none,
     .print = cli_print_processes,
     .help = "Lists the versions of the process: since when, by whom, and which worker runs which.",
     .example = "process list"},
    {.name = "process get",
     .op = "process.get",
     .positional = CLI_POS_OPTIONAL,
     .positional_name = "HASH",
     .options = process_get_options,
     .run = cli_run_process_get,
     .help = "Writes the files of a version of the process (default: the current one) into a directory.",
     .example = "process get --dir current-process"},
    {.name = "process diff",
     .op = NULL,
     .positional = CLI_POS_UP_TO_TWO,
     .positional_name = "FROM",
     .options = none,
     .run = cli_run_process_diff,
     .help = "Compares two versions, each a hash or a directory. One: the current version with it. None: the "
             "version before with the current one.",
     .example = "process diff deploy/process"},
    {.name = "process whatif",
     .op = "process.whatif",
     .positional = CLI_POS_ONE,
     .positional_name = "DIR",
     .options = none,
     .run = cli_run_process_whatif,
     .json_lines = true,
     .help = "Lists which open tickets a version would move, and which would be late, before it is applied.",
     .example = "process whatif ./process"},
    {.name = "process simulate",
     .op = "process.simulate",
     .positional = CLI_POS_ONE,
     .positional_name = "DIR",
     .options = process_simulate_options,
     .run = cli_run_process_simulate,
     .json_lines = true,
     .help = "Decides past tickets with a version and sums up: promised, met, missed, compared with what "
             "happened.",
     .example = "process simulate ./process --since 30d"},
    {.name = "process rollback",
     .op = "process.apply",
     .positional = CLI_POS_OPTIONAL,
     .positional_name = "HASH",
     .options = comment_option,
     .run = cli_run_process_rollback,
     .help = "Makes an older version current again (default: the one before).",
     .example = "process rollback"},
    {.name = "import",
     .op = "ticket.submit",
     .positional = CLI_POS_ONE,
     .positional_name = "FILE",
     .options = import_options,
     .run = cli_run_import,
     .help = "Posts a ticket for each line of FILE: JSON, the fields of `submit`. Keys come from the lines, "
             "so a repeated import posts nothing twice.",
     .example = "import tickets.jsonl"},
    {.name = "watch",
     .op = "events.since",
     .positional = CLI_POS_OPTIONAL,
     .positional_name = "TRACKING",
     .positional_field = "filter.tracking",
     .options = watch_options,
     .run = cli_run_watch,
     .json_lines = true,
     .help = "Prints events as they happen, until interrupted.",
     .example = "watch " T},
    {.name = "dead list",
     .op = "dead.list",
     .options = page_options,
     .print = cli_print_dead,
     .help = "Lists tickets that no worker could decide.",
     .example = "dead list"},
    {.name = "dead retry",
     .op = "dead.retry",
     .positional = CLI_POS_OPTIONAL,
     .positional_name = "TRACKING",
     .positional_field = "tracking",
     .options = dead_retry_options,
     .help = "Has them decided again.",
     .example = "dead retry --all"},
    {.name = "notification list",
     .op = "notification.list",
     .options = notification_list_options,
     .print = cli_print_notifications,
     .help = "Lists messages to people, newest first: without options those that failed.",
     .example = "notification list --state pending,failed"},
    {.name = "notification show",
     .op = "notification.show",
     NOTIFICATION,
     .options = none,
     .print = cli_print_notification,
     .help = "Shows a message to one recipient, and every attempt.",
     .example = "notification show 4711"},
    {.name = "notification why",
     .op = "notification.why",
     TRACKING,
     .options = none,
     .print = cli_print_why,
     .help = "Tells who was told of a ticket or was not, and what decided it.",
     .example = "notification why " T},
    {.name = "notification retry",
     .op = "notification.retry",
     .positional = CLI_POS_OPTIONAL,
     .positional_name = "NOTIFICATION",
     .positional_field = "notification",
     .positional_is_int = true,
     .options = notification_retry_options,
     .help = "Sends a message again that failed, was suppressed, discarded or held; with its old id.",
     .example = "notification retry 4711"},
    {.name = "notification discard",
     .op = "notification.discard",
     NOTIFICATION,
     .options = why_options,
     .help = "Gives up a message that is not sent yet.",
     .example = "notification discard 4711 --reason 'told by phone'"},
    {.name = "notification release",
     .op = "notification.release",
     .options = notification_release_options,
     .help = "Lets messages go that are held back, after a restore for example.",
     .example = "notification release --discard-before 2026-03-27T08:00:00Z"},
    {.name = "notification mute",
     .op = "notification.mute",
     .options = notification_mute_options,
     .help = "Keeps alerts and messages to staff quiet for a while: maintenance. P1 only if it is named. Ops "
             "are told "
             "when it ends.",
     .example = "notification mute --tag region:emea --until +4h --reason 'new core router'"},
    {.name = "notification unmute",
     .op = "notification.unmute",
     .positional = CLI_POS_ONE,
     .positional_name = "MUTE",
     .positional_field = "mute",
     .positional_is_int = true,
     .options = none,
     .help = "Ends a mute early.",
     .example = "notification unmute 3"},
    {.name = "notification mutes",
     .op = "notification.mutes",
     .options = none,
     .print = cli_print_mutes,
     .help = "Lists mutes that go on, and those of the last week.",
     .example = "notification mutes"},
    {.name = "stats",
     .op = "stats",
     .options = none,
     .help = "Prints the counters of a broker.",
     .example = "stats"},
    {.name = "ping",
     .op = "ping",
     .options = none,
     .run = cli_run_ping,
     .help = "Asks whether a broker is there.",
     .example = "ping --json"},
    {.name = "completion bash",
     .op = NULL,
     .options = none,
     .run = cli_run_completion,
     .help = "Prints the completion for bash: source <(docket completion bash).",
     .example = "completion bash"},
    {.name = "completion zsh",
     .op = NULL,
     .options = none,
     .run = cli_run_completion,
     .help = "Prints the completion for zsh: source <(docket completion zsh), behind compinit.",
     .example = "completion zsh"},
    {.name = "completion fish",
     .op = NULL,
     .options = none,
     .run = cli_run_completion,
     .help = "Prints the completion for fish: docket completion fish | source.",
     .example = "completion fish"},
};

const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;
