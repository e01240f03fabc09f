/* The process's loader: every fault with its place, all at once, the hash, and no crash whatever the bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "embed.h"
#include "process.h"

static void file_add(struct process_files *files, const char *name, const char *text, size_t len)
{
    struct err err;
    if (!process_files_add(files, span_of(name), (struct span){text, len}, &err))
        fail_msg("%s", err.msg);
}

/* A small good process, with one file put in place of its own. */
static void files_with(struct process_files *files, const char *name, const char *text)
{
    static const char *const base[][2] = {
        {"process.yaml", "zone: UTC\nquestions: {equipment: Which?}\n"},
        {"calendars.yaml", "office: {hours: {mon-fri: [09:00-17:00]}}\n"},
        {"packages.yaml", "standard: {}\n"},
        {"rules/1.yaml", "- {rule: z, default: true, then: {priority: 3}}\n"},
    };
    bool placed = false;
    for (size_t i = 0; i < 4; i++) {
        bool own = strcmp(base[i][0], name) == 0;
        placed = placed || own;
        file_add(files, base[i][0], own ? text : base[i][1], strlen(own ? text : base[i][1]));
    }
    if (!placed)
        file_add(files, name, text, strlen(text));
}

struct fault_row {
    const char *file, *text, *fault;
};

#define LAST "\n- {rule: z, default: true, then: {priority: 3}}\n"

static const struct fault_row rows[] = {
    {"webhooks.yaml", "endpoint: []\n",
     "webhooks.yaml:1:1: endpoint: is not known in webhooks.yaml (did you mean endpoints?)"},
    {"webhooks.yaml", "endpoints:\n  - {url: https://a.example/}\n",
     "webhooks.yaml:2:5: endpoints: want {url: https://HOST/, owner: person:NAME, team:NAME or name@host}"},
    {"webhooks.yaml", "endpoints: [{url: a.example, owner: a@b}]\n",
     "webhooks.yaml:1:19: url: \"a.example\" is not allowed, want the beginning of a URL"},
    {"webhooks.yaml", "endpoints: [{url: https://x@a.example/, owner: a@b}]\n", "webhooks.yaml:1:19: url: "},
    {"webhooks.yaml", "endpoints: [{url: https://a.example/, owner: ada}]\n",
     "webhooks.yaml:1:46: owner: \"ada\" is not allowed, want person:NAME, team:NAME or name@host"},
    {"webhooks.yaml", "endpoints: [{url: https://a.example/, owner: person:ada}]\n",
     "webhooks.yaml:1:46: owner: person: \"ada\" is not in staff.yaml"},
    {"webhooks.yaml", "colour: red\n",
     "webhooks.yaml:1:1: colour: is not known in webhooks.yaml; allowed is endpoints"},
    {"webhooks.yaml", "endpoints: [{url: https://a.example/, owner: \"a@b\\nBcc: x\"}]\n",
     "webhooks.yaml:1:46: owner: "},
    {"webhooks.yaml", "endpoints: [{url: https://a/, owner: a@b}, {url: https://a/, owner: c@d}]\n",
     "webhooks.yaml:1:44: url: \"https://a/\" is given twice"},
    {"staff.yaml", "people:\n  ada: {email: ada}\n",
     "staff.yaml:2:16: email: \"ada\" is no address: not an address: want local@domain"},
    {"staff.yaml", "people: {ada: {email: \"a@b,c@d\"}}\n",
     "staff.yaml:1:23: email: \"a@b,c@d\" is no address"},
    {"staff.yaml", "people: {ada: {xmpp: a@b/desk}}\n", "staff.yaml:1:22: xmpp: \"a@b/desk\" is no address"},
    {"webhooks.yaml", "endpoints: [{url: https://a.example/, owner: \"zo\xc3\xab@a.example\"}]\n",
     "webhooks.yaml:1:46: owner: \"zo\xc3\xab@a.example\" is not allowed, want person:NAME"},
    {"staff.yaml", "people: {ada: {name: Ada}}\n", "staff.yaml:1:10: ada: has no address"},
    {"staff.yaml", "people: {ada: {emial: a@b}}\n",
     "staff.yaml:1:16: emial: is not known in ada (did you mean email?)"},
    {"staff.yaml", "people: {ada: {email: \"a@b\\nBcc: x\"}}\n", "staff.yaml:1:23: email: "},
    {"staff.yaml", "people: {ada: {email: a@b, hours: offise}}\n",
     "staff.yaml:1:35: calendar: \"offise\" is not in"},
    {"staff.yaml", "people: {ada: {email: a@b}}\nteams: {noc: {members: [adda]}}\n",
     "staff.yaml:2:25: members: \"adda\" is none of the people in staff.yaml (did you mean ada?)"},
    {"staff.yaml", "people: {ada: {email: a@b}}\nteams: {noc: {members: [ada, ada]}}\n",
     "staff.yaml:2:30: members: \"ada\" is given twice"},
    {"staff.yaml", "people: {ada: {email: a@b}}\nteams: {noc: {members: ada, lead: ben}}\n",
     "staff.yaml:2:35: lead: \"ben\" is none of the people in staff.yaml; allowed is ada"},
    {"staff.yaml", "people: {ada: {email: a@b, colour: red}}\n",
     "staff.yaml:1:28: colour: is not known in ada; allowed are name, zone, locale, hours, email, webhook, "
     "xmpp, phone, sms"},
    {"oncall.yaml", "schedules: {one: {layers: []}}\n",
     "oncall.yaml:1:27: layers: has 0 entries, want 1 to 20"},
    {"oncall.yaml", "schedules: {one: {zone: Mars}}\n", "oncall.yaml:1:13: one: has no layers"},
    {"oncall.yaml", "schedules: {one: {layers: [{rotation: weekly}]}}\n",
     "oncall.yaml:1:28: layers: a layer is rotation, start (its day zero) and people; or import"},
    {"oncall.yaml", "schedules: {one: {layers: [{rotation: 0d, start: 2026-02-29, people: ada}]}}\n",
     "oncall.yaml:1:39: rotation: \"0d\" is not allowed"},
    {"oncall.yaml", "schedules: {one: {layers: [{rotation: 3d, start: 2026-02-29, people: ada}]}}\n",
     "oncall.yaml:1:50: start: \"2026-02-29\" is no date"},
    {"oncall.yaml",
     "schedules: {one: {layers: [{rotation: 3d, start: 2026-02-28, handover: 24:00, people: ada}]}}\n",
     "oncall.yaml:1:72: handover: \"24:00\" is no time of the day"},
    {"oncall.yaml", "schedules: {one: {layers: [{rotation: 3d, start: 2026-02-28, people: [ada]}]}}\n",
     "oncall.yaml:1:71: people: \"ada\" is none of the people in staff.yaml"},
    {"oncall.yaml", "schedules: {one: {layers: [{rotation: 3d, start: 2026-02-28, people: []}]}}\n",
     "oncall.yaml:1:70: people: is empty, want who takes turns"},
    {"oncall.yaml", "schedules: {one: {layers: [{import: oncall/a.ics}]}}\n",
     "oncall.yaml:1:37: import: \"oncall/a.ics\" is no file of this process"},
    {"escalation.yaml", "policies: {p: {levels: []}}\n", "escalation.yaml:1:24: levels: has 0 entries"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 5m}]}}\n",
     "escalation.yaml:1:25: levels: a level is"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: [team:noc]}]}}\n",
     "escalation.yaml:1:44: tell: team: \"noc\" is not in staff.yaml"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: [oncall:a]}]}}\n",
     "escalation.yaml:1:44: tell: oncall: \"a\" is not in oncall.yaml"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: [everybody]}]}}\n",
     "escalation.yaml:1:44: tell: \"everybody\" is not allowed, want person:NAME"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: []}]}}\n",
     "escalation.yaml:1:43: tell: is empty"},
    {"escalation.yaml",
     "policies:\n  p:\n    levels:\n    - {after: 5m, tell: desk}\n    - {after: 4m, tell: desk}\n",
     "escalation.yaml:5:7: levels: after lies before the one before"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 0m, tell: desk}], last_resort: {every: 1h}}}\n",
     "escalation.yaml:1:64: last_resort: tells nobody"},
    {"escalation.yaml", "policies: {p: {levels: [{after: 0m, tell: desk}], repeat: {every: 0m}}}\n",
     "escalation.yaml:1:67: every: \"0m\" is too short"},
    {"escalation.yaml",
     "channels: {low: [sms]}\npolicies: {p: {urgency: low, levels: [{after: 0m, tell: desk}], last_resort: "
     "{tell: person:ada}}}\n",
     "escalation.yaml:2:85: last_resort: person: \"ada\" is not in staff.yaml"},
    {"escalation.yaml", "match: [{priority: 1, policy: none}]\n",
     "escalation.yaml:1:31: policy: \"none\" is none of the"},
    {"escalation.yaml", "match: [{kind: fire, policy: none}]\n",
     "escalation.yaml:1:16: kind: \"fire\" is not allowed"},
    {"escalation.yaml",
     "policies: {p: {levels: [{after: 0m, tell: desk}]}}\nmatch: [{policy: p}, {policy: p}]\n",
     "escalation.yaml:2:9: match: is for every alert, so those after it are never reached"},
    {"escalation.yaml", "channels: {urgent: [pigeon]}\n",
     "escalation.yaml:1:21: urgent: \"pigeon\" is not allowed"},
    {"escalation.yaml", "notices: {warning: {urgency: low}}\n",
     "escalation.yaml:1:11: warning: tells nobody"},
    {"process.yaml", "zone: UTC\nreopen_withn: 1d\n",
     "process.yaml:2:1: reopen_withn: is not known in process.yaml (did you mean reopen_within?)"},
    {"process.yaml", "reopen_within: 12x\n", "process.yaml:1:16: reopen_within: \"12x\" is not allowed"},
    {"process.yaml", "unknown_customers: maybe\n",
     "process.yaml:1:20: unknown_customers: \"maybe\" is not allowed, want accept or refuse"},
    {"process.yaml", "package: none\n", "process.yaml:1:10: package: \"none\" is not in packages.yaml"},
    {"process.yaml", "calendar: offise\n",
     "process.yaml:1:11: calendar: \"offise\" is not in calendars.yaml (did you mean office?); allowed is "
     "office (24x7 is built "
     "in)"},
    {"process.yaml", "approval_reminders: [2, 2]\n",
     "process.yaml:1:25: approval_reminders: 2 is not allowed"},
    {"process.yaml", "meeting_reminder: 5x\n", "process.yaml:1:19: meeting_reminder: \"5x\" is not allowed"},
    {"process.yaml", "priorities: {5: x}\n", "process.yaml:1:14: priorities: \"5\" is not allowed"},
    {"calendars.yaml", "a: {zone: UTC}\n", "calendars.yaml:1:1: a: has no hours"},
    {"calendars.yaml", "a:\n  hours: {mon-fry: [09:00-17:00]}\n",
     "calendars.yaml:2:11: hours: \"mon-fry\" is not allowed"},
    {"calendars.yaml", "a:\n  hours: {mon: [9:00-17:00]}\n",
     "calendars.yaml:2:17: mon: \"9:00-17:00\" is not allowed"},
    {"calendars.yaml", "a: {hours: {mon: [24:00-01:00]}}\n",
     "calendars.yaml:1:19: mon: \"24:00-01:00\" is not allowed"},
    {"calendars.yaml", "a: {hours: {mon-wed: [], tue: [09:00-10:00]}}\n",
     "calendars.yaml:1:26: hours: tue is given twice"},
    {"calendars.yaml", "a: {hours: {mon: [09:00-10:00]}, holidays: [2026-02-29]}\n",
     "calendars.yaml:1:45: holidays: \"2026-02-29\" is no date"},
    {"calendars.yaml", "a: {hours: {mon: [09:00-10:00]}, holiday_files: [holidays/x.ics]}\n",
     "calendars.yaml:1:50: holiday_files: \"holidays/x.ics\" is no file of this process"},
    {"calendars.yaml", "24x7: {hours: {mon: [09:00-10:00]}}\n", "calendars.yaml:1:1: 24x7: is built in"},
    {"packages.yaml", "standard: {weight: 010}\n",
     "packages.yaml:1:20: weight: \"010\" is not allowed, want a number from 1 to 1000"},
    {"packages.yaml", "standard: {channels: [fax]}\n",
     "packages.yaml:1:23: channels: \"fax\" is not allowed, want ticket, im or phone"},
    {"packages.yaml", "standard: {meetings: [ticket]}\n",
     "packages.yaml:1:23: meetings: \"ticket\" is not allowed, want im or phone"},
    {"packages.yaml", "standard:\n  targets:\n    3: {response: 2d working}\n",
     "packages.yaml:3:19: response: \"2d working\" is not allowed"},
    {"packages.yaml", "standard: {targets: {9: {}}}\n", "packages.yaml:1:22: targets: \"9\" is not allowed"},
    {"rules/1.yaml", "- {rule: a, then: {priority: 5}}" LAST,
     "rules/1.yaml:1:30: priority: \"5\" is not allowed, want a number from 1 to 4"},
    {"rules/1.yaml", "- {rule: a, then: {queu: x}}" LAST,
     "rules/1.yaml:1:20: queu: is not known in then (did you mean queue?)"},
    {"rules/1.yaml", "- {rule: a, when: {field: titel, is: x}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:27: field: \"titel\" is not known (did you mean title?)"},
    {"rules/1.yaml", "- {rule: a, when: {field: title, matches: 'a('}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:43: matches: \"a(\" is no pattern: missing closing parenthesis, at its letter 2"},
    {"rules/1.yaml", "- {rule: a, when: {field: title, is: x, in: [y]}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:19: a condition has both is and in"},
    {"rules/1.yaml", "- {rule: a, when: {field: title}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:19: a condition asks nothing"},
    {"rules/1.yaml", "- {rule: a, when: {field: title, less: 3}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:27: field: \"title\" is no number"},
    {"rules/1.yaml", "- {rule: a, when: {time.open: x}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:31: calendar: \"x\" is not in calendars.yaml"},
    {"rules/1.yaml", "- {rule: a, when: {all: []}, then: {kind: k}}" LAST,
     "rules/1.yaml:1:25: all: has 0 conditions"},
    {"rules/1.yaml", "- {rule: a, then: {ask: equipmnt}}" LAST,
     "rules/1.yaml:1:25: ask: \"equipmnt\" is not in process.yaml, questions (did you mean equipment?)"},
    {"rules/1.yaml", "- {rule: a, then: {wake_in: 5s}}" LAST,
     "rules/1.yaml:1:29: wake_in: \"5s\" is not allowed, want at least 60s"},
    {"rules/1.yaml", "- {rule: a, then: {tell: {en: Hello.}}}" LAST,
     "rules/1.yaml:1:27: tell: \"en\" is not allowed, want customer, staff or ops"},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {}}}}" LAST,
     "rules/1.yaml:1:32: tell: is empty, want a text, or one for each language: {en: "},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {english: x, de: y}}}}" LAST,
     "rules/1.yaml:1:33: tell: \"english\" is not a language: want a tag as en or de-AT"},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {en: x, \"\": y}}}}" LAST,
     "rules/1.yaml:1:40: tell: \"\" is not a language"},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {en: x, de-Latn-CH-1901-a-bcdefg: y}}}}" LAST,
     "rules/1.yaml:1:40: tell: \"de-Latn-CH-1901-a-bcdefg\" is not allowed, want a tag of at most 23 bytes"},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {en: x, de: [y]}}}}" LAST, "rules/1.yaml:1:44: tell: "},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {en: , de: y}}}}" LAST, "rules/1.yaml:1:37: tell: "},
    {"rules/1.yaml", "- {rule: a, then: {tell: {ops: {en: x, en: y}}}}" LAST,
     "rules/1.yaml:1:40: en: is written twice"},
    {"rules/1.yaml", "- {rule: a, on: [postd], then: {kind: k}}" LAST,
     "rules/1.yaml:1:18: on: \"postd\" is not allowed"},
    {"rules/1.yaml", "- {rule: a}" LAST, "rules/1.yaml:1:3: a rule that does nothing"},
    {"rules/1.yaml", "- {then: {kind: k}}" LAST, "rules/1.yaml:1:3: a rule without a name"},
    {"rules/1.yaml", "- {rule: z, then: {kind: k}}" LAST,
     "rules/1.yaml:2:3: rule: \"z\" is the name of another one, rules/1.yaml:1"},
    {"rules/1.yaml", "- {rule: a, then: {kind: k, force: true}}" LAST,
     "rules/1.yaml:1:19: force: is of no use without priority"},
    {"rules/1.yaml", "- {rule: a, then: {kind: k}}\n", "rules/: no default rule"},
    {"rules/2.yaml", "- {rule: y, then: {kind: k}}\n", "rules/1.yaml:1:3: default: is not the last rule"},
    {"rules/2.yaml", "- {rule: y, default: true, then: {priority: 1}}\n",
     "rules/2.yaml:1:3: default: a second default rule"},
    {"staff.yaml", "a: 1\na: 2\n", "staff.yaml:2:1: a: is written twice"},
    {"staff.yaml", "people: {ada: {email: a@b, locale: german}}\n",
     "staff.yaml:1:36: locale: \"german\" is not a language: want a tag as en or de-AT"},
    {"escalation.yaml", "channels: {urgent: []}\n",
     "escalation.yaml:1:20: urgent: is empty, so nobody could be told what is urgent"},
    {"packages.yaml", "standard: {targets: {1: {update: 0m}}}\n",
     "packages.yaml:1:34: update: \"0m\" is not allowed, want a time, or ~: not promised"},
    {"process.yaml", "zone: UTC\ntargets: {3: {resolution: 0s}}\n",
     "process.yaml:2:27: resolution: \"0s\" is not allowed, want a time"},
    {"notify.yaml", "limits: {summary_after: 0m}\n", "notify.yaml:1:25: summary_after: want 1s to 1d"},
    {"notify.yaml", "limits: {summary_after: 2d}\n", "notify.yaml:1:25: summary_after: want 1s to 1d"},
    {"nonsense.yaml", "a: 1\n", "nonsense.yaml: is no file of a process"},
};

static void test_loader_tells_each_fault_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;
        bool found = false;
        files_with(&files, rows[i].file, rows[i].text);
        assert_false(process_load_new(&files, &process, &faults));
        for (size_t j = 0; j < faults.count; j++)
            found = found || strncmp(faults.items[j].text, rows[i].fault, strlen(rows[i].fault)) == 0;
        if (!found)
            fail_msg("want %s\ngot  %s", rows[i].fault, faults.count > 0 ? faults.items[0].text : "nothing");
        faults_clear(&faults);
        process_files_clear(&files);
    }
}

/* Three of the longest texts stand beside the first once more in 16 KiB, four do not. */
static void test_loader_when_a_rule_tells_more_than_a_message_holds_then_it_is_refused(void **state)
{
    static const char *const locales[] = {"en", "de", "fr", "it"};
    struct buf text;
    (void)state;

    for (size_t languages = 3; languages <= 4; languages++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;

        buf_init(&text, 1 << 16);
        buf_add_text(&text, "- rule: a\n  then:\n    tell:\n      customer:\n");
        for (size_t i = 0; i < languages; i++) {
            buf_printf(&text, "        %s: ", locales[i]);
            for (int k = 0; k < 4000; k++)
                buf_add_text(&text, "x");
            buf_add_text(&text, "\n");
        }
        buf_add_text(&text, "- {rule: z, default: true, then: {priority: 3}}\n");
        files_with(&files, "rules/1.yaml", buf_text(&text));
        assert_int_equal(process_load_new(&files, &process, &faults), languages == 3);
        if (languages == 4)
            assert_string_equal(faults.items[0].text,
                                "rules/1.yaml:5:9: tell: is too long, want at most 16384 bytes in all "
                                "languages together, the first counted twice");
        process_free(process);
        faults_clear(&faults);
        process_files_clear(&files);
        buf_clear(&text);
    }
}

/* Names of one file that another file misspells. */
static void test_loader_tells_what_a_name_of_another_file_may_have_meant(void **state)
{
    static const char staff[] =
        "people: {ada: {email: a@b}, berta: {email: b@b}}\nteams: {noc: {members: ada}}\n";
    static const char oncall[] =
        "schedules: {primary: {layers: [{rotation: 1w, start: 2026-01-05, people: ada}]}}\n";
    static const struct {
        const char *file, *text, *fault;
    } others[] = {
        {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: person:bert}]}}\n",
         "escalation.yaml:1:43: tell: person: \"bert\" is not in staff.yaml (did you mean berta?); allowed "
         "are ada, berta"},
        {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: person:otto}]}}\n",
         "escalation.yaml:1:43: tell: person: \"otto\" is not in staff.yaml; allowed are ada, berta"},
        {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: team:desk}]}}\n",
         "escalation.yaml:1:43: tell: team: \"desk\" is not in staff.yaml; allowed is noc"},
        {"escalation.yaml", "policies: {p: {levels: [{after: 5m, tell: oncall:primry}]}}\n",
         "escalation.yaml:1:43: tell: oncall: \"primry\" is not in oncall.yaml (did you mean primary?); "
         "allowed is primary"},
        {"escalation.yaml", "policies: {prio: {levels: [{after: 0m, tell: desk}]}}\nmatch: [{policy: pro}]\n",
         "escalation.yaml:2:18: policy: \"pro\" is none of the policies of this file (did you mean prio?); "
         "allowed is prio"},
        {"webhooks.yaml", "endpoints: [{url: https://a.example/, owner: team:nok}]\n",
         "webhooks.yaml:1:46: owner: team: \"nok\" is not in staff.yaml (did you mean noc?); allowed is noc"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;
        files_with(&files, others[i].file, others[i].text);
        file_add(&files, "staff.yaml", staff, strlen(staff));
        file_add(&files, "oncall.yaml", oncall, strlen(oncall));
        assert_false(process_load_files(&files, &process, &faults));
        assert_string_equal(faults.items[0].text, others[i].fault);
        faults_clear(&faults);
        process_files_clear(&files);
    }
}

/* What an earlier version of the programs took runs on when it is stored; to be taken anew it is judged. */
static void test_loader_reads_what_is_stored_and_refused_in_new_versions(void **state)
{
    static const struct {
        const char *file, *text;
    } stored[] = {
        {"staff.yaml", "people: {ada: {email: \"zo\xc3\xab@a.example\", xmpp: a@b/desk}}\n"},
        {"staff.yaml", "people: {ada: {email: a@b@c}, bob: {email: \"(x)@y\"}}\n"},
        {"webhooks.yaml", "endpoints: [{url: https://a.example/, owner: \"a,b@c\"}, {url: "
                          "https://b.example/, owner: \"-x@c\"}]\n"},
        {"staff.yaml", "people: {ada: {name: \"Ada\\nBcc: x\", email: a@b}, bob: {name: \"\\e[2J\", "
                       "email: b@b}}\n"},
        {"rules/1.yaml", "- {rule: \"a\\e[2J\", then: {kind: k}}\n- {rule: \"b\\N\", then: {kind: k}}" LAST},
        {"escalation.yaml", "policies: {p: {repeat: {}, unack: {}, levels: [{after: 0m, tell: desk}]}}\n"}};
    (void)state;

    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;

        files_with(&files, stored[i].file, stored[i].text);
        assert_true(process_load_files(&files, &process, &faults));
        assert_int_equal(process->refusals.count, 2);
        process_free(process);
        process = NULL;
        assert_false(process_load_new(&files, &process, &faults));
        assert_null(process);
        assert_int_equal(faults.count, 2);
        faults_clear(&faults);
        process_files_clear(&files);
    }
}

static void test_loader_tells_why_it_refuses_a_new_version(void **state)
{
    static const struct fault_row refused[] = {
        {"escalation.yaml", "policies: {p: {repeat: {}, levels: [{after: 0m, tell: desk}]}}\n",
         "escalation.yaml:1:24: repeat: is empty, want a map like {every: 15m, loops: 5}"},
        {"escalation.yaml", "policies: {p: {unack: {}, levels: [{after: 0m, tell: desk}]}}\n",
         "escalation.yaml:1:23: unack: is empty, want a map like {after: 30m, grace: 15m}"},
        {"rules/1.yaml", "- {rule: a, then: {kind: k, tell: {}}}" LAST,
         "rules/1.yaml:1:35: tell: tells nobody, want {customer: We are at it.}"},
        {"rules/1.yaml", "- {rule: \"a\\e[2J\", then: {kind: k}}" LAST,
         "rules/1.yaml:1:10: rule: \"a?[2J\" is not allowed, want one line, without control characters"},
        {"process.yaml", "zone: UTC\npriorities: {1: \"Network\\ndown\"}\n",
         "process.yaml:2:17: priorities: \"Network?down\" is not allowed, want one line, without control "
         "characters"},
        {"process.yaml", "zone: UTC\nclose_unanswered_after: 0m\n",
         "process.yaml:2:25: close_unanswered_after: \"0m\" is not allowed, want a time, or ~: never"},
        {"packages.yaml", "standard: {close_unanswered_after: 0s}\n",
         "packages.yaml:1:36: close_unanswered_after: \"0s\" is not allowed, want a time, or ~: never"},
        {"staff.yaml", "teams: {noc: {members: []}}\n",
         "staff.yaml:1:24: members: is empty, want those of the team"},
        {"notify.yaml", "holds: [{hold: \"a\\tb\", to: staff, every: 15m}]\n",
         "notify.yaml:1:16: hold: \"a?b\" is not allowed, want one line, without control characters"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;

        files_with(&files, refused[i].file, refused[i].text);
        assert_false(process_load_new(&files, &process, &faults));
        assert_int_equal(faults.count, 1);
        assert_string_equal(faults.items[0].text, refused[i].fault);
        faults_clear(&faults);
        process_files_clear(&files);
    }
}

static void test_loader_warns_of_what_is_allowed_and_hardly_meant(void **state)
{
    static const struct fault_row warned[] = {
        {"packages.yaml", "standard: {channels: []}\n", "packages.yaml:1:1: standard: has no channels, so "},
        {"staff.yaml",
         "people: {ada: {email: a@b}}\nteams: {noc: {members: ada, queues: [net]}, voice: {members: ada, "
         "queues: net}}\n",
         "staff.yaml:2:45: queues: \"net\" is that of the team noc too, and goes to one of them"},
        {"staff.yaml",
         "people: {ada: {email: a@b}}\nteams: {noc: {members: ada, queues: [voice]}, voice: {members: ada, "
         "queues: voice}}\n",
         "staff.yaml:2:9: queues: \"voice\" is that of the team voice too, and goes to one of them"},
        {"staff.yaml", "people: {ada: {email: a@b, locale: xx-XX}}\n",
         "staff.yaml:1:36: locale: \"xx-XX\" has no templates/ here: ada is told in English"},
        {"rules/1.yaml", "- {rule: a, then: {tell: {customer: {en: x, xx: y}}}}" LAST,
         "rules/1.yaml:1:45: tell: \"xx\" has no templates/ here: what stands around the text is in English"},
        {"templates/german/words.txt", "new: neu\n",
         "templates/german/words.txt: nobody reads it: \"german\" is not a language"},
        {"packages.yaml", "standard: {warnings: [{at: 80%}, {at: 50%}, {at: 80%, tell: boards}]}\n",
         "packages.yaml:1:45: warnings: comes at the same moment as the one at 1:23"},
        {"packages.yaml", "standard: {warnings: [{before: 30m}, {before: 1800s}]}\n",
         "packages.yaml:1:38: warnings: comes at the same moment as the one at 1:23"},
        {"packages.yaml", "standard: {grace: 0s}\n",
         "packages.yaml:1:1: standard: promises a response at once, with a grace of 0: each of priority 1 "
         "is "},
        {"process.yaml", "zone: UTC\nmeeting_reminder: 0m\n",
         "process.yaml:2:19: meeting_reminder: \"0m\" is never, want a time, or ~ to say so"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof warned / sizeof warned[0]; i++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;

        files_with(&files, warned[i].file, warned[i].text);
        assert_true(process_load_new(&files, &process, &faults));
        assert_true(process->warnings.count >= 1);
        if (strncmp(process->warnings.items[0].text, warned[i].fault, strlen(warned[i].fault)) != 0)
            fail_msg("%s", process->warnings.items[0].text);
        faults_clear(&faults);
        process_free(process);
        process_files_clear(&files);
    }
}

/* A warning that comes for one promise of one package that has it is meant. */
static void test_loader_warns_of_a_warning_that_never_comes(void **state)
{
    static const struct {
        const char *packages;
        size_t warnings;
    } given[] = {
        {"standard: {warnings: [{before: 24h}]}\n", 1},
        {"standard: {warnings: [{before: 1439m}]}\n", 0},
        {"standard: {warnings: [{at: 50%}, {before: 30h}, {before: 2d}]}\n", 2},
        {"standard: {warnings: [{before: 30h}], targets: {2: {resolution: 2d}}}\n", 0},
        {"standard: {warnings: [{before: 90m}], targets: {3: {response: 1h, update: ~}, 4: {response: 1h, "
         "update: "
         "~}, 2: {update: ~}}}\n",
         1},
    };
    (void)state;

    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;

        files_with(&files, "packages.yaml", given[i].packages);
        assert_true(process_load_files(&files, &process, &faults));
        if (process->warnings.count != given[i].warnings)
            fail_msg("%s %zu", given[i].packages, process->warnings.count);
        if (i == 0)
            assert_string_equal(process->warnings.items[0].text,
                                "packages.yaml:1:23: before: never comes, no promise is longer than that");
        faults_clear(&faults);
        process_free(process);
        process_files_clear(&files);
    }
}

static void test_loader_tells_all_faults_at_once_in_order(void **state)
{
    (void)state;
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    file_add(&files, "packages.yaml", "standard: {weight: 0, grace: x}\n", 32);
    file_add(&files, "rules/1.yaml", "- {rule: a, then: {priority: 9}}\n", 33);
    assert_false(process_load_files(&files, &process, &faults));
    assert_int_equal(faults.count, 6);
    assert_string_equal(faults.items[0].text, "calendars.yaml: is missing");
    assert_non_null(strstr(faults.items[1].text, "packages.yaml:1:20: weight"));
    assert_non_null(strstr(faults.items[2].text, "packages.yaml:1:30: grace"));
    assert_string_equal(faults.items[3].text, "process.yaml: is missing");
    faults_clear(&faults);
    process_files_clear(&files);
}

static void test_loader_does_not_judge_names_of_a_file_that_cannot_be_read(void **state)
{
    static const char notify[] = "holds:\n  - {hold: night, to: customer, packages: [gold], every: 5m}\n";
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    (void)state;
    files_with(&files, "packages.yaml", "gold: {\n");
    file_add(&files, "notify.yaml", notify, strlen(notify));
    assert_false(process_load_files(&files, &process, &faults));
    assert_true(faults.count > 0);
    for (size_t i = 0; i < faults.count; i++)
        if (strncmp(faults.items[i].text, "packages.yaml", 13) != 0)
            fail_msg("%s", faults.items[i].text);
    faults_clear(&faults);
    process_files_clear(&files);
}

/* One condition at fault three times over, and the rule after it. */
static void test_loader_tells_all_faults_of_a_rule(void **state)
{
    static const char rules[] =
        "- {rule: a, on: [postd], when: {field: titel, matches: 'a(', x: 1}, then: {priority: 9, queu: q}}\n"
        "- {rule: b, when: {all: [{field: title}, {field: kind, iss: x}, {field: age_s, less: x}]}, then: "
        "{wake_in: "
        "1s}}" LAST;
    static const char *const want[] = {
        "1:18: on: \"postd\" is not allowed",     "1:40: field: \"titel\" is not known (did you mean title",
        "1:56: matches: \"a(\" is no pattern",    "1:62: x: is not known in a condition",
        "1:86: priority: \"9\" is not allowed",   "1:89: queu: is not known in then (did you mean queue",
        "2:26: a condition asks nothing",         "2:56: iss: is not known in a condition",
        "2:86: less: \"x\" is not allowed, want", "2:108: wake_in: \"1s\" is not allowed"};
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    (void)state;

    files_with(&files, "rules/1.yaml", rules);
    assert_false(process_load_files(&files, &process, &faults));
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        if (i >= faults.count ||
            strncmp(faults.items[i].text + strlen("rules/1.yaml:"), want[i], strlen(want[i])) != 0)
            fail_msg("want %s\ngot  %s", want[i], i < faults.count ? faults.items[i].text : "nothing");
    assert_int_equal(faults.count, sizeof want / sizeof want[0]);
    faults_clear(&faults);
    process_files_clear(&files);
}

static void shipped_files(struct process_files *files)
{
    for (size_t i = 0; i < shipped_process_count; i++)
        file_add(files, shipped_process[i].name, (const char *)shipped_process[i].data,
                 shipped_process[i].len);
}

static void test_shipped_process_is_what_was_promised(void **state)
{
    (void)state;
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    shipped_files(&files);
    if (!process_load_files(&files, &process, &faults))
        fail_msg("%s", faults.items[0].text);
    const struct process_package *standard = process_package_find(process, span_of("standard"));
    assert_int_equal(standard->targets[1][PROCESS_RESPONSE].seconds, 0);
    assert_int_equal(standard->targets[2][PROCESS_RESPONSE].seconds, 3600);
    assert_false(standard->targets[2][PROCESS_RESPONSE].working);
    assert_int_equal(standard->targets[3][PROCESS_RESPONSE].seconds, 6 * 3600);
    assert_true(standard->targets[3][PROCESS_RESPONSE].working);
    assert_int_equal(standard->targets[4][PROCESS_RESPONSE].seconds, 24 * 3600);
    assert_true(standard->targets[4][PROCESS_RESPONSE].working);
    assert_false(standard->targets[1][PROCESS_RESOLUTION].promised);
    assert_int_equal(standard->grace_s, 300);
    assert_int_equal(process_package_weight(process, span_of("gold")), 4);
    assert_int_equal(process_package_weight(process, span_of("nobody")), 1);
    const struct process_calendar *office = process_calendar_find(process, "office");
    assert_int_equal(office->week[4].intervals[0].until_s, 17 * 3600);
    assert_int_equal(office->week[5].count, 0);
    assert_true(process->rules[process->rule_count - 1].is_default);
    assert_int_equal(process->warnings.count, 1); /* the zone */
    process_free(process);
    process_files_clear(&files);
}

static void test_calendar_values_are_as_written(void **state)
{
    (void)state;
    struct process_files files = {NULL, 0};
    struct faults faults = {NULL, 0, 0};
    struct process *process = NULL;
    files_with(&files, "calendars.yaml",
               "office: {hours: {sat-mon: [22:00-06:00], tue: [00:00-24:00]}, holidays: [1970-01-02], "
               "special: {2024-02-29: []}}\n");
    if (!process_load_files(&files, &process, &faults))
        fail_msg("%s", faults.items[0].text);
    const struct process_calendar *office = process_calendar_find(process, "office");
    assert_int_equal(office->week[0].intervals[0].until_s, 6 * 3600);
    assert_int_equal(office->week[6].count, 1);
    assert_int_equal(office->week[1].intervals[0].until_s, 86400);
    assert_int_equal(office->specials[0].date, 1);
    assert_true(office->specials[0].holiday);
    assert_int_equal(office->specials[1].date, 19782);
    assert_false(office->specials[1].holiday);
    process_free(process);
    process_files_clear(&files);
}

static void test_files_refuse_names_and_sizes_and_hash_by_content(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "/a",   "a/",  "../a", "a/../b",
                                      ".git", "a/.b", "a b", "a\nb", "a//b"};
    struct process_files files = {NULL, 0}, back = {NULL, 0};
    struct err err;
    struct buf bytes;
    struct wire_doc *doc = NULL;
    char first[PROCESS_HASH_BYTES], second[PROCESS_HASH_BYTES];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(process_files_add(&files, span_of(bad[i]), span_of("x"), &err));
    file_add(&files, "b", "2", 1);
    file_add(&files, "a", "1", 1);
    assert_false(process_files_add(&files, span_of("a"), span_of("x"), &err));
    assert_string_equal(files.items[0].name, "a");
    buf_init(&bytes, 1000);
    process_files_encode(&files, &bytes);
    assert_true(wire_parse(bytes.p, bytes.len, 3, &doc, &err));
    assert_true(process_files_decode(wire_root(doc), &back, &err));
    process_files_hash(&files, first);
    process_files_hash(&back, second);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), 64);
    back.items[0].bytes[0] = 'x';
    process_files_hash(&back, second);
    assert_string_not_equal(first, second);
    wire_doc_free(doc);
    buf_clear(&bytes);
    process_files_clear(&files);
    process_files_clear(&back);
}

static void test_duration_of_process(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "6",    "06h", "12x",  "6h  working",
                                      "2d working", "401d", "-1m", "1h30m"};
    int64_t seconds = 0;
    bool working = false;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(process_duration_parse(bad[i], &seconds, &working));
    assert_true(process_duration_parse("0m", &seconds, &working) && seconds == 0 && !working);
    assert_true(process_duration_parse("6h working", &seconds, &working) && seconds == 21600 && working);
    assert_true(process_duration_parse("2d", &seconds, &working) && seconds == 172800 && !working);
}

/* Bytes of the shipped files changed, cut, doubled at random (a fixed seed): never a crash, a leak or a hang.
 */
static void test_loader_when_files_are_mutated_then_faults_or_a_process(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    size_t refused = 0;
    for (int round = 0; round < 400; round++) {
        struct process_files files = {NULL, 0};
        struct faults faults = {NULL, 0, 0};
        struct process *process = NULL;
        shipped_files(&files);
        for (int change = 0; change < 3; change++) {
            seed = seed * 1664525 + 1013904223;
            struct process_file *file = &files.items[(seed >> 8) % files.count];
            seed = seed * 1664525 + 1013904223;
            size_t at = file->len > 0 ? (seed >> 4) % file->len : 0;
            if (file->len > 0 && (seed & 3) == 0)
                file->len = at;
            else if (file->len > 0)
                file->bytes[at] = "{}[]:-,'\"\n 0\\(*&!x\xff"[(seed >> 24) % 19];
        }
        if (process_load_files(&files, &process, &faults))
            process_free(process);
        else
            refused++;
        faults_clear(&faults);
        process_files_clear(&files);
    }
    assert_true(refused > 20 && refused < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loader_tells_each_fault_with_its_place),
        cmocka_unit_test(test_loader_when_a_rule_tells_more_than_a_message_holds_then_it_is_refused),
        cmocka_unit_test(test_loader_tells_what_a_name_of_another_file_may_have_meant),
        cmocka_unit_test(test_loader_reads_what_is_stored_and_refused_in_new_versions),
        cmocka_unit_test(test_loader_tells_why_it_refuses_a_new_version),
        cmocka_unit_test(test_loader_warns_of_a_warning_that_never_comes),
        cmocka_unit_test(test_loader_warns_of_what_is_allowed_and_hardly_meant),
        cmocka_unit_test(test_loader_tells_all_faults_at_once_in_order),
        cmocka_unit_test(test_loader_does_not_judge_names_of_a_file_that_cannot_be_read),
        cmocka_unit_test(test_loader_tells_all_faults_of_a_rule),
        cmocka_unit_test(test_shipped_process_is_what_was_promised),
        cmocka_unit_test(test_calendar_values_are_as_written),
        cmocka_unit_test(test_files_refuse_names_and_sizes_and_hash_by_content),
        cmocka_unit_test(test_duration_of_process),
        cmocka_unit_test(test_loader_when_files_are_mutated_then_faults_or_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
