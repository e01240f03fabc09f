/* What people answer in chat; see answers.h. */
#include "answers.h"
#include "broker_ask.h"
#include "channel_xmpp.h"
#include "clock.h"
#include "escal_people.h"
#include "lanes.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"
#include "tracking.h"
#include "wire.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 129, WORDS_BYTES = 300 };

struct answer {
    int64_t alert;                /* 0: the last one that was told at that address */
    char code[ANSWER_CODE_BYTES]; /* "" for none */
    bool takes;
};

/* ---- words ---- */

static struct span next_word(struct span *left)
{
    size_t n = 0;

    while (left->len != 0 && isspace((unsigned char)left->p[0]))
        *left = (struct span){left->p + 1, left->len - 1};
    while (n < left->len && !isspace((unsigned char)left->p[n]))
        n++;
    struct span word = {left->p, n};
    *left = (struct span){left->p + n, left->len - n};
    return word;
}

static bool word_is(struct span word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.p, text, word.len) == 0;
}

static bool word_is_number(struct span word, int64_t *ret)
{
    int64_t number = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (!isdigit((unsigned char)word.p[i]) || i > 17)
            return false;
        number = number * 10 + (word.p[i] - '0');
    }
    *ret = number;
    return number > 0;
}

/* Whether text is such an answer. */
static bool answer_parse(struct span text, struct answer *ret)
{
    struct answer answer = {.takes = false};
    struct span left = text, word = next_word(&left);

    if (!word_is(word, "ack"))
        return false;
    word = next_word(&left);
    if (word_is_number(word, &answer.alert)) {
        word = next_word(&left);
        if (word.len == ANSWER_CODE_BYTES - 1 && !word_is(word, "take")) {
            for (size_t i = 0; i < word.len; i++)
                answer.code[i] = (char)tolower((unsigned char)word.p[i]);
            word = next_word(&left);
        }
    }
    answer.takes = word_is(word, "take");
    if (answer.takes)
        word = next_word(&left);
    if (word.len != 0)
        return false; /* a sentence that begins with ack is a sentence */
    *ret = answer;
    return true;
}

void answer_code(const struct token_key *key, int64_t alert, int32_t generation, char *ret)
{
    char token[TOKEN_MAIL_BYTES], subject[40];

    ret[0] = '\0';
    if (key->count == 0)
        return;
    (void)snprintf(subject, sizeof subject, "%lld/%d", (long long)alert, (int)generation);
    token_mail_format(key, TOKEN_ACKNOWLEDGE, alert, subject, token);
    (void)snprintf(ret, ANSWER_CODE_BYTES, "%s", token + TOKEN_MAIL_BYTES - ANSWER_CODE_BYTES);
}

/* ---- acting ---- */

struct reply {
    struct notifier *notifier;
    struct answer answer;
    char to[CHANNEL_ADDRESS_BYTES], who[NAME_BYTES], tracking[TRACKING_TEXT_BYTES];
    bool is_room, is_found, is_right;
    int64_t alert, ticket;
    int32_t generation;
};

static void reply_end(struct reply *reply, const char *words)
{
    channel_xmpp_say(lanes_room_of(reply->notifier->lanes, CHANNEL_XMPP), reply->to, words);
    free(reply);
}

static void on_taken(void *arg, const struct wire_val *body, const struct err *err)
{
    struct reply *reply = arg;
    char words[WORDS_BYTES];
    (void)body;

    if (err != NULL)
        (void)snprintf(words, sizeof words, "Alert %lld is acknowledged, but %s is not taken: %.150s",
                       (long long)reply->alert, reply->tracking, err->msg);
    else
        (void)snprintf(words, sizeof words, "Alert %lld is acknowledged, %s is yours.",
                       (long long)reply->alert, reply->tracking);
    reply_end(reply, words);
}

static void on_acked(void *arg, const struct wire_val *body, const struct err *err)
{
    struct reply *reply = arg;
    char words[WORDS_BYTES];
    struct span state = wire_find_str(body, "state");

    if (err != NULL) {
        (void)snprintf(words, sizeof words, "Alert %lld is not acknowledged: %.200s", (long long)reply->alert,
                       err->msg);
    } else if (reply->answer.takes && reply->ticket != 0) {
        broker_ask_of_ticket(reply->notifier->ask, "ticket.take", reply->who, reply->tracking, on_taken,
                             reply);
        return;
    } else {
        (void)snprintf(words, sizeof words, "Alert %lld is %.*s.", (long long)reply->alert,
                       state.len == 0 ? 12 : (int)state.len, state.len == 0 ? "acknowledged" : state.p);
    }
    reply_end(reply, words);
}

static void on_rows(void *arg, PGresult *rows)
{
    struct reply *reply = arg;
    char code[ANSWER_CODE_BYTES];

    reply->is_found = PQntuples(rows) > 0;
    if (!reply->is_found)
        return;
    reply->alert = pg_int(rows, 0, 0);
    reply->generation = (int32_t)pg_int(rows, 0, 1);
    reply->ticket = pg_int(rows, 0, 2);
    struct span recipient = pg_span(rows, 0, 3);
    answer_code(&reply->notifier->link_key, reply->alert, reply->generation, code);
    bool has_code = reply->answer.code[0] != '\0';
    reply->is_right = has_code ? code[0] != '\0' && strcmp(code, reply->answer.code) == 0 : !reply->is_room;
    if (!reply->is_room && recipient.len != 0 && recipient.len < sizeof reply->who)
        (void)snprintf(reply->who, sizeof reply->who, "%.*s", (int)recipient.len, recipient.p);
    if (reply->ticket != 0)
        tracking_format(reply->ticket, reply->notifier->settings.tracking_prefix, reply->tracking);
}

static void on_looked(void *arg, const struct pg_end *end)
{
    struct reply *reply = arg;
    struct buf body;

    if (end->outcome != PG_OK) {
        reply_end(reply, "The database is away. Please say it again in a minute.");
    } else if (!reply->is_found) {
        reply_end(reply, reply->answer.alert == 0 ? "No alert that you were told of is open."
                                                  : "You were not told of such an alert, or it is over.");
    } else if (!reply->is_right) {
        reply_end(reply, reply->is_room ? "In a room: ack NUMBER CODE, as the page says."
                                        : "The code is not right.");
    } else {
        buf_init(&body, ASK_BODY_BYTES_MAX);
        wire_put_map(&body, 3);
        broker_ask_put_staff(&body, reply->who);
        wire_put_key_int(&body, "alert", reply->alert);
        wire_put_key_int(&body, "generation", reply->generation);
        broker_ask_send(reply->notifier->ask, "alert.ack", buf_span(&body), on_acked, reply);
        buf_clear(&body);
    }
}

/* ---- who speaks ---- */

static bool is_way(const struct process_person *person, const struct channel_said *said)
{
    for (size_t i = 0; i < person->way_count; i++)
        if (strcmp(person->ways[i].channel, channel_rows[said->channel].name) == 0 &&
            strcasecmp(person->ways[i].address, said->from) == 0)
            return true;
    return false;
}

/* A number for each whose address stands in the process or who is a room of ours; all others are strangers. */
static size_t speaker_of(const struct notifier *notifier, const struct channel_said *said)
{
    const struct process_people *people = escal_people_plan(notifier->people);
    const struct settings_notifier *settings = &notifier->settings;

    for (size_t i = 0; i < people->person_count; i++)
        if (is_way(&people->persons[i], said))
            return 1 + i;
    for (size_t i = 0; i < settings->xmpp_rooms.count; i++)
        if (strcasecmp(settings->xmpp_rooms.items[i], said->from) == 0)
            return 1 + people->person_count + i;
    return ANSWER_STRANGERS;
}

static bool may_answer(struct notifier *notifier, const struct channel_said *said)
{
    size_t speaker = speaker_of(notifier, said);
    int64_t now = clock_mono_us();

    if (answer_limit_take(&notifier->answer_limit, speaker, now))
        return true;
    int64_t ignored = answer_limit_ignored(&notifier->answer_limit, now);
    metric_add(notifier->answers_ignored, speaker != ANSWER_STRANGERS, 1);
    if (ignored != 0)
        log_event(LOG_WARN, "answers_ignored", "count=%lld from=%s", (long long)ignored,
                  log_quote(said->from));
    return false;
}

void answers_on_said(void *arg, const struct channel_said *said)
{
    struct notifier *notifier = arg;
    struct answer answer;

    if (notifier->stopping || !answer_parse(said->text, &answer) ||
        (said->is_room && said->nick[0] == '\0') || !may_answer(notifier, said))
        return;
    struct reply *reply = mem_new(1, sizeof *reply);
    reply->notifier = notifier;
    reply->answer = answer;
    reply->is_room = said->is_room;
    (void)snprintf(reply->to, sizeof reply->to, "%s", said->from);
    (void)snprintf(reply->who, sizeof reply->who, "%.128s", said->is_room ? said->nick : said->from);
    pg_params_reset(notifier->params);
    pg_put_text(notifier->params, channel_rows[said->channel].name);
    pg_put_text(notifier->params, said->from);
    pg_put_int8(notifier->params, answer.alert);
    (void)pg_send(notifier->tell, TELL_ANSWER_ALERT, notifier->params, on_rows, reply);
    pg_sync(notifier->tell, on_looked, reply);
}
