/* Mail in, without a broker: shape, own words, who vouches, what it is and for whom; and a parser that hostile mails do not take
 * with them. */
#include "mail_internal.h"
#include "mem.h"
#include "tracking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

/* ---- scan ---- */

static void test_scan_when_the_shape_is_wrong_then_it_is_told_which_limit(void **state)
{
    static const struct {
        const char *name, *message;
        enum err_code code;
    } rows[] = {
        {"plain", "From: a@b\r\nSubject: x\r\n\r\nhello\r\n", ERR_NONE},
        {"bare line ends", "From: a@b\nSubject: x\n\nhello\n", ERR_NONE},
        {"folded", "From: a@b\nSubject: x\n\ty\n z\n\nhello\n", ERR_NONE},
        {"mbox line", "From a@b Thu Jan  1 00:00:00 1970\nFrom: a@b\n\nhello\n", ERR_NONE},
        {"no body", "From: a@b\n", ERR_NONE},
        {"blank before the colon", "From : a@b\n\nx", ERR_NONE},
        {"empty", "", ERR_MALFORMED},
        {"no header", "\nhello\n", ERR_MALFORMED},
        {"not a mail", "GET / HTTP/1.1\nHost: x\n\n", ERR_MALFORMED},
        {"folded first", " x\nFrom: a@b\n\n", ERR_MALFORMED},
        {"a line in the head", "From: a@b\nnonsense\n\nx", ERR_MALFORMED},
    };
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err.code = ERR_NONE;
        bool ok = mail_scan(span_of(rows[i].message), &err);
        if (ok != (rows[i].code == ERR_NONE) || err.code != rows[i].code)
            fail_msg("%s: %d %s", rows[i].name, (int)err.code, ok ? "" : err.msg);
    }
    assert_false(mail_scan((struct span){"From: a\0b\n\n", 11}, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
}

/* count times piece behind head, then tail. */
static void repeat(struct buf *out, const char *head, const char *piece, int count, const char *tail)
{
    buf_reset(out);
    buf_add_text(out, head);
    for (int i = 0; i < count; i++)
        buf_add_text(out, piece);
    buf_add_text(out, tail);
}

static void test_scan_when_something_is_over_its_limit_then_it_is_too_large(void **state)
{
    static const struct {
        const char *head, *piece, *tail;
        int fits, over;
    } rows[] = {
        {"From: ", "a", "\n\nx", 8000, 8300},                     /* one header */
        {"From: a@b\nX: ", "y\n ", "\n\nx", 2000, 3000},          /* one, folded */
        {"From: a@b\n", "X-Y: 0123456789\n", "\nx", 4000, 4200},  /* all together */
        {"From: a@b\n\n", "--b\n", "x", 1000, 1001},              /* boundaries */
        {"From: a@b\n\n--b\nX: ", "y\n ", "\n\nx", 20000, 24000}, /* a header of a part */
    };
    struct buf message;
    struct err err;
    (void)state;

    buf_init(&message, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        repeat(&message, rows[i].head, rows[i].piece, rows[i].fits, rows[i].tail);
        if (!mail_scan(buf_span(&message), &err))
            fail_msg("row %zu: %s", i, err.msg);
        repeat(&message, rows[i].head, rows[i].piece, rows[i].over, rows[i].tail);
        assert_false(mail_scan(buf_span(&message), &err));
        assert_int_equal(err.code, ERR_TOO_LARGE);
    }
    buf_clear(&message);
}

/* ---- words ---- */

static void test_own_words_when_a_mail_is_quoted_then_only_the_tail_is_left_out(void **state)
{
    static const struct {
        const char *name, *text, *own;
    } rows[] = {
        {"all", "It works.\n", "It works."},
        {"quoted below", "It works.\n\nOn Monday, the desk wrote:\n> Does it?\n> Tell us.\n", "It works."},
        {"quoted without a head", "It works.\n> Does it?\n", "It works."},
        {"German", "Passt.\n\nAm 3. März schrieb der Desk:\n> Geht es?\n", "Passt."},
        {"Outlook", "It works.\n\n-----Original Message-----\nFrom: desk\nDoes it?\n", "It works."},
        {"signature", "It works.\n-- \nZoe, ACME\n", "It works."},
        {"answers between", "> Does it?\nYes.\n> And this?\nNo.\n", "> Does it?\nYes.\n> And this?\nNo."},
        {"only quoted", "> Does it?\n", "> Does it?"},
        {"dashes are no signature", "a\n--verbose\nb\n", "a\n--verbose\nb"},
        {"a sentence ends so", "He wrote:\nplease help\n", "He wrote:\nplease help"},
        {"a sentence ends the mail so", "Here is the log:\n\n", "Here is the log:"},
        {"a head in two lines",
         "It works.\n\nOn Wed, Mar 4, 2026 at 10:00 AM Support Desk <desk@us.example>\nwrote:\n\n> Does "
         "it?\n",
         "It works."},
        {"a head in two lines, German",
         "Passt.\n\nAm Mi., 4. März 2026 um 10:00 Uhr schrieb Support Desk <\ndesk@us.example>:\n\n> Geht "
         "es?\n",
         "Passt."},
        {"words above a head are not of it", "We tried 3.2.\nHe wrote:\n> reboot\n", "We tried 3.2."},
        {"Outlook without a line",
         "It works.\n\nFrom: Desk <desk@us.example>\nSent: Wednesday, March 4, 2026 10:00 AM\nTo: "
         "Zoe\nSubject: "
         "[DKT] x\n\nDoes it?\n",
         "It works."},
        {"Outlook in the browser",
         "It works.\n________________________________\nFrom: Desk <desk@us.example>\nSent: 4 March\nTo: Zoe\n"
         "Subject: x\n\nDoes it?\n",
         "It works."},
        {"Outlook, German",
         "Passt.\n\n*Von:* Desk\n*Gesendet:* Mittwoch, 4. März\n*An:* Zoe\n*Cc:* B\n*Betreff:* AW: x\n\nGeht "
         "es?\n",
         "Passt."},
        {"Outlook, French", "Oui.\nDe : Desk\nEnvoyé : 4 mars\nÀ : Zoé\nObjet : x\n\nAlors ?\n", "Oui."},
        {"original, German", "Passt.\n-----Ursprüngliche Nachricht-----\nVon: desk\n", "Passt."},
        {"original, French", "Oui.\n-------- Message d'origine --------\nDe : desk\n", "Oui."},
        {"a rule is no end", "a\n__________________________________________\nb\n",
         "a\n__________________________________________\nb"},
        {"what grep shows", "The log:\na 1\n--\nb 2\n--\nc 3\n", "The log:\na 1\n--\nb 2\n--\nc 3"},
        {"headers of a call",
         "See:\nFrom: <sip:1@a>;tag=1\nTo: <sip:2@a>\nCall-ID: 7\nDate: Wed, 04 Mar 2026 10:00:00 "
         "GMT\n\nv=0\n",
         "See:\nFrom: <sip:1@a>;tag=1\nTo: <sip:2@a>\nCall-ID: 7\nDate: Wed, 04 Mar 2026 10:00:00 "
         "GMT\n\nv=0"},
        {"blanks of other programs", "\xef\xbb\xbfIt works.\xc2\xa0\n\n> Does it?\n\xc2\xa0\n\xe2\x80\x8b\n",
         "It works."},
        {"a telephone's words", "It rings.\n\nSent from my iPhone\n\n> Does it?\n", "It rings."},
        {"a telephone's words, German", "Es klingelt.\n\nVon meinem iPhone gesendet.\n", "Es klingelt."},
        {"a telephone's words with a link", "Yes.\nGet Outlook for iOS<https://aka.ms/o0ukef>\n", "Yes."},
        {"a telephone's words and a link behind", "Yes.\nOutlook für Android beziehen <https://aka.ms/x>\n",
         "Yes."},
        {"words that only begin so", "See.\nSent from my iPhone is what it shows\n",
         "See.\nSent from my iPhone is what it shows"},
        {"nothing but a telephone's words", "Sent from my iPhone\n", "Sent from my iPhone"},
        {"a link at the end", "See.\nhere <https://x.example/>\n", "See.\nhere <https://x.example/>"},
        {"empty", "", ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span own = mail_text_own(span_of(rows[i].text));
        if (!span_is(own, rows[i].own))
            fail_msg("%s: got \"%.*s\"", rows[i].name, (int)own.len, own.p);
    }
}

/* A block of its own, so that a read beyond it is seen: a line may be all there is. */
static void test_own_words_when_a_rule_ends_them_then_nothing_behind_is_read(void **state)
{
    static const char text[] = "a\n____________________";
    char *block = mem_new(sizeof text - 1, 1);
    (void)state;

    memcpy(block, text, sizeof text - 1);
    assert_int_equal(mail_text_own((struct span){block, sizeof text - 1}).len, sizeof text - 1);
    free(block);
}

static void test_first_line_when_it_is_a_word_then_it_approves(void **state)
{
    char *words[] = {(char *)"approved", (char *)"genehmigt"};
    const struct setting_list list = {words, 2};
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"approved", true},
        {"\n  Approved. \n\nThanks", true},
        {"APPROVED!\n> old", true},
        {"Genehmigt", true},
        {"not approved", false},
        {"approved, but slow", false},
        {"Thanks\napproved", false},
        {"", false},
        {"> approved", false},
        {"\xef\xbb\xbf"
         "approved\xc2\xa0\n\nThanks",
         true},
        {"\xe2\x80\x8b\xc2\xa0\napproved !\n", true},
        {"On 04/03/2026 10:00, Desk wrote:\n> approved\n> Does it work?\n\napproved\n-- \nZoe\n", true},
        {"Am 04.03.26 um 10:00 schrieb Support Desk\n<desk@us.example>:\n\n> Passt es?\n>\n\nGenehmigt.\n",
         true},
        {"> Does it work?\n\nApproved\n", true},
        {"On 04/03/2026 10:00, Desk wrote:\n> Does it work?\n\nNo.\napproved\n", false},
        {"On 04/03/2026 10:00, Desk wrote:\n> approved\n", false},
        {"On 04/03/2026 10:00, Desk wrote:\napproved\n", false},
        {"It rings since 10:00 today:\nbut not here\n> Does it work?\napproved\n", false},
        {"I do not like this:\n> The cable.\napproved\n", false},
        {"Since 10:00 it rings.\n\n> Does it work?\napproved\n", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mail_word_is(&list, mail_text_first_line(mail_text_own(span_of(rows[i].text)))) != rows[i].is)
            fail_msg("%s", rows[i].text);
}

static void test_clean_when_bytes_are_bad_then_what_is_kept_is_text(void **state)
{
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    mail_text_clean(span_of("a\xff\r\n\x1b[31mb\tc\xC3\xA4\x7f\xE2\x82"), 1000, &out);
    assert_string_equal(buf_text(&out), "a\xEF\xBF\xBD\n[31mb\tc\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD");
    buf_reset(&out);
    mail_text_clean(span_of("ab\xC3\xA4"), 3, &out); /* never half a character */
    assert_string_equal(buf_text(&out), "ab");
    buf_clear(&out);
}

static void test_flowed_text_when_read_then_broken_lines_are_whole(void **state)
{
    static const struct {
        const char *text, *whole;
        bool without_blank;
    } rows[] = {
        {"one long \nline and \nits end\nnext\n", "one long line and its end\nnext\n", false},
        {"https://exam \nple.org/\n", "https://example.org/\n", true},
        {"a \n\nb\n", "a \nb\n", false}, /* the empty line is where the paragraph ends */
        {"own \n> quoted \n> on\n>> deep\nback\n", "own \n> quoted on\n>> deep\nback\n", false},
        {"words \n-- \nZoe \nACME\n", "words \n-- \nZoe ACME\n", false},
        {" From me\n >no quote\n  two\n", "From me\n >no quote\n two\n", false},
        {"the end is open ", "the end is open ", false},
        {"", "", false},
    };
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        mail_text_unflow(span_of(rows[i].text), rows[i].without_blank, &out);
        assert_string_equal(buf_text(&out), rows[i].whole);
    }
    buf_clear(&out);
}

static void test_clear_signed_text_when_read_then_its_armour_is_gone(void **state)
{
#define BEGIN "-----BEGIN PGP SIGNED MESSAGE-----\n"
#define SIGNATURE "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----"
    static const struct {
        const char *text, *own;
    } rows[] = {
        {BEGIN "Hash: SHA256\n\nIt rings.\n- -- \nZoe\n" SIGNATURE "\n", "It rings.\n-- \nZoe\n"},
        {"before\n" BEGIN "\nIt rings.\n" SIGNATURE "\nfrom a list\n", "before\nIt rings.\nfrom a list\n"},
        {BEGIN "\none\n" SIGNATURE "\n" BEGIN "\ntwo\n" SIGNATURE, "one\ntwo\n"},
        {BEGIN "\nnever ended\n", BEGIN "\nnever ended\n"},
        {BEGIN "\ncut\n-----BEGIN PGP SIGNATURE-----\n\niQ",
         BEGIN "\ncut\n-----BEGIN PGP SIGNATURE-----\n\niQ"},
        {"> " BEGIN "> quoted\n", "> " BEGIN "> quoted\n"},
        {SIGNATURE, SIGNATURE},
        {BEGIN, BEGIN},
        {"", ""},
    };
#undef BEGIN
#undef SIGNATURE
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        mail_text_unsign(span_of(rows[i].text), &out);
        assert_string_equal(buf_text(&out), rows[i].own);
    }
    buf_clear(&out);
}

static void test_html_when_it_says_its_charset_then_it_is_found(void **state)
{
    static const struct {
        const char *source, *charset; /* NULL: says none */
    } rows[] = {
        {"<meta charset=koi8-r>", "koi8-r"},
        {"<html><head><META HTTP-EQUIV='Content-Type' CONTENT='text/html; CharSet = \"Shift_JIS\"'>",
         "Shift_JIS"},
        {"<meta name=author content=charset><meta charset='utf-8'/>", "utf-8"},
        {"<meta name=x> charset=koi8-r", NULL},
        {"<meta charset=>", NULL},
        {"<meta charset", NULL},
        {"<meta charset=x;drop>", "x"},
        {"<metacharset", NULL},
        {"", NULL},
    };
    char charset[32];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_said = mail_html_charset(span_of(rows[i].source), charset, sizeof charset);
        if (is_said != (rows[i].charset != NULL) || (is_said && strcmp(charset, rows[i].charset) != 0))
            fail_msg("%s: %s", rows[i].source, is_said ? charset : "nothing");
    }
}

static void test_html_when_laid_out_then_lines_cells_and_links_stay(void **state)
{
    static const struct {
        const char *html, *text;
    } rows[] = {
        {"<table><tr><th>Line</th><th>State</th></tr><tr><td>1</td><td>down</td></tr></table>",
         "Line State\n1 down"},
        {"<p>log:</p><pre>a 1\n  b  2\n\nc</pre>end", "log:\na 1\n  b  2\n\nc\nend"},
        {"<blockquote type=cite><pre>a\n b</pre></blockquote>", "> a\n>  b"},
        {"see <a href='https://x.example/log?a=1'>the log</a>, please",
         "see the log <https://x.example/log?a=1>, please"},
        {"<a href='https://x.example/'>x.example</a> <a href='mailto:a@b'>a@b</a> <a href='#x'>up</a>",
         "x.example a@b up"},
        {"<a href='https://x.example/'><img src='cid:1'></a>words", "words"},
        {"the rack:<img src='cid:1' alt='a red lamp'><img alt=''>", "the rack: a red lamp"},
        {"<a href='https://a.example/'>one<a href='https://b.example/'>two</a></a>",
         "one <https://a.example/>two <https://b.example/>"},
    };
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        mail_text_of_html(span_of(rows[i].html), &out);
        struct span text = mail_text_trim(buf_span(&out));
        if (!span_is(text, rows[i].text))
            fail_msg("%s: got \"%.*s\"", rows[i].html, (int)text.len, text.p);
    }
    buf_clear(&out);
}

static void test_html_when_read_then_words_stay_and_scripts_go(void **state)
{
    static const char html[] =
        "<html><head><style>x{}</style><title>t</title></head><body><p>Hello&nbsp;<b>Zo&euml;</b>"
        "</p><script>alert(1)</script><ul><li>one<li>two</ul>a<br>b &lt;c&gt;</body></html>";
    struct buf out, deep;
    (void)state;

    buf_init(&out, 10000);
    mail_text_of_html(span_of(html), &out);
    assert_true(span_is(buf_span(&out), "Hello\xC2\xA0Zo\xC3\xAB\none\ntwo\na\nb <c>") ||
                span_is(buf_span(&out), "Hello\xC2\xA0Zo\xC3\xAB\none\ntwo\na\nb <c>\n"));
    buf_reset(&out);
    mail_text_of_html(
        span_of("<div>Yes.</div><div class=\"gmail_quote\"><div>On 4 Mar, Desk wrote:<br></div><blockquote "
                "class=\"gmail_quote\"><p>Does it?</p>More<blockquote type=cite>old</blockquote></blockquote>"
                "</div><blockquote style=\"margin:0 0 0 40px\">moved</blockquote>"),
        &out);
    assert_string_equal(buf_text(&out), "Yes.\nOn 4 Mar, Desk wrote:\n> Does it?\n> More\n> old\nmoved\n");
    buf_init(&deep, 1 << 20);
    repeat(&deep, "", "<div>", 20000, "deep");
    buf_reset(&out);
    mail_text_of_html(buf_span(&deep), &out); /* no recursion, no crash */
    buf_clear(&deep);
    buf_clear(&out);
}

/* ---- who vouches ---- */

static void test_auth_when_our_server_vouches_then_only_for_that_domain(void **state)
{
    static const struct {
        const char *header, *address;
        bool vouches;
    } rows[] = {
        {"mx.us; dmarc=pass header.from=acme.com", "a@acme.com", true},
        {"MX.us 1; spf=fail; dmarc=pass (p=reject) header.from=Acme.com", "a@acme.com", true},
        {"mx.us; dkim=pass (2048-bit) header.d=acme.com header.i=@acme.com", "a@mail.acme.com", true},
        {"mx.us; spf=pass smtp.mailfrom=x@acme.com", "a@acme.com", true},
        {"mx.us; spf=pass smtp.mailfrom=acme.com;", "a@acme.com", true},
        {"mx.us;\r\n dkim = pass\r\n header.d = acme.com", "a@acme.com", true},
        {"mx.us; spf=pass smtp.mailfrom=x@acme.com", "a@sub.acme.com", false},
        {"mx.us; dkim=pass header.d=com", "a@acme.com", false},
        {"mx.us; dkim=pass header.d=acme.com", "a@notacme.com", false},
        {"mx.us; dkim=fail header.d=acme.com", "a@acme.com", false},
        {"mx.us; dkim=pass header.d=evil.com; spf=fail smtp.mailfrom=a@acme.com", "a@acme.com", false},
        {"mx.us; none", "a@acme.com", false},
        {"mx.evil; dmarc=pass header.from=acme.com", "a@acme.com", false},
        {"mx.us.evil; dmarc=pass header.from=acme.com", "a@acme.com", false},
        {"(mx.us) mx.evil; dmarc=pass header.from=acme.com", "a@acme.com", false},
        {"mx.us; spf=fail (dmarc=pass header.from=acme.com)", "a@acme.com", false},
        {"mx.us; spf=fail reason=\"; dmarc=pass header.from=acme.com\"", "a@acme.com", false},
        {"mx.us; dkim=pass header.i=\"x@acme.com ; \"@evil.com", "a@acme.com", false},
        {"", "a@acme.com", false},
        {"mx.us; dmarc=pass header.from=", "a@", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mail_auth_vouches(span_of(rows[i].header), "mx.us", rows[i].address) != rows[i].vouches)
            fail_msg("%s for %s: want %d", rows[i].header, rows[i].address, rows[i].vouches);
    assert_false(mail_auth_vouches(span_of("mx.us; dmarc=pass header.from=acme.com"), "", "a@acme.com"));
}

/* ---- judging whole mails ---- */

static struct mail_settings settings_of(void)
{
    return (struct mail_settings){.reply_address = (char *)"desk@us.example",
                                  .bounce_address = (char *)"bounce@us.example",
                                  .mail_domain = (char *)"us.example",
                                  .tracking_prefix = (char *)"DKT",
                                  .authserv_id = (char *)"mx.us"};
}

/* Scans, parses apart, judges; the caller frees the document that the view points into. */
static struct mail_view judge(const char *text, const char *sender, const char *recipient,
                              struct wire_doc **ret_doc)
{
    const struct mail_settings settings = settings_of();
    const struct mail_envelope envelope = {sender, recipient};
    struct token_key key = {.count = 1};
    struct mail_view view;
    struct buf facts;
    struct err err;

    memset(key.keys[0], 7, TOKEN_KEY_BYTES);
    buf_init(&facts, MAIL_FACTS_BYTES_MAX);
    if (!mail_scan(span_of(text), &err) || !mail_parse_apart(span_of(text), &facts, &err))
        fail_msg("%s", err.msg);
    assert_true(wire_parse(facts.p, facts.len, WIRE_DEPTH_MAX, ret_doc, &err));
    buf_clear(&facts);
    mail_judge(&settings, &key, &envelope, wire_root(*ret_doc), span_of(text), &view);
    return view;
}

static void test_kind_when_judged_then_machines_are_told_from_people(void **state)
{
    static const struct {
        const char *name, *headers, *sender;
        enum mail_kind kind;
    } rows[] = {
        {"a person", "", "a@b", MAIL_KIND_PERSON},
        {"said to be no machine", "Auto-Submitted: no\n", "a@b", MAIL_KIND_PERSON},
        {"vacation", "Auto-Submitted: auto-replied (vacation)\n", "a@b", MAIL_KIND_ANSWERED},
        {"old vacation", "Precedence: auto_reply\n", "a@b", MAIL_KIND_ANSWERED},
        {"another", "X-Autoreply: yes\n", "a@b", MAIL_KIND_ANSWERED},
        {"the null sender", "", "", MAIL_KIND_ANSWERED},
        {"the null sender of what calls itself generated",
         "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n", "", MAIL_KIND_ANSWERED},
        {"a responder's own header", "X-Autorespond: Re: x\n", "a@b", MAIL_KIND_ANSWERED},
        {"another one's", "X-Autoreply-From: a@b\n", "a@b", MAIL_KIND_ANSWERED},
        {"the null sender as Postfix says it", "", "MAILER-DAEMON", MAIL_KIND_ANSWERED},
        {"the null sender in a header", "Return-Path: <>\n", NULL, MAIL_KIND_ANSWERED},
        {"a monitor", "Auto-Submitted: auto-generated\n", "a@b", MAIL_KIND_AUTOMATIC},
        {"Exchange", "X-Auto-Response-Suppress: All\n", "a@b", MAIL_KIND_AUTOMATIC},
        {"a list", "List-Id: <x.y>\n", "a@b", MAIL_KIND_BULK},
        {"a newsletter", "Precedence: bulk\n", "a@b", MAIL_KIND_BULK},
        {"a receipt of reading",
         "Content-Type: multipart/report; report-type=\"disposition-notification\"; boundary=b\n", "a@b",
         MAIL_KIND_ANSWERED},
        {"ours", "X-Docket-Kind: received\nAuto-Submitted: auto-replied\n", "a@b", MAIL_KIND_OURS},
    };
    char text[512];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        (void)snprintf(text, sizeof text,
                       "From: Zoe <z@acme.com>\nMessage-ID: <1@acme.com>\n%sSubject: x\n\nhello\n",
                       rows[i].headers);
        struct mail_view view = judge(text, rows[i].sender, NULL, &doc);
        if (view.kind != rows[i].kind)
            fail_msg("%s: got kind %d", rows[i].name, (int)view.kind);
        wire_doc_free(doc);
    }
    struct wire_doc *doc = NULL;
    assert_int_equal(judge("From: desk@us.example\nSubject: x\n\nhello\n", "a@b", NULL, &doc).kind,
                     MAIL_KIND_OURS);
    wire_doc_free(doc);
}

/* Automatic answers of people go to where our mail came from as well (RFC 3834, 4): they are no bounces. */
static void test_kind_when_it_comes_to_the_bounce_address_then_answers_are_told_from_bounces(void **state)
{
    static const struct {
        const char *head, *sender;
        enum mail_kind kind;
    } rows[] = {
        {"From: z@acme.com\nAuto-Submitted: auto-replied\nSubject: Away\n", "", MAIL_KIND_ANSWERED},
        {"From: z@acme.com\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n", "",
         MAIL_KIND_ANSWERED},
        {"From: z@acme.com\nSubject: Re: yours\n", "z@acme.com", MAIL_KIND_PERSON},
        {"From: MAILER-DAEMON@acme.com\nSubject: failure notice\n", "", MAIL_KIND_BOUNCE},
        {"From: Mail System <Mailer-Daemon@acme.com>\nAuto-Submitted: auto-replied\n", "", MAIL_KIND_BOUNCE},
        {"From: postmaster@acme.com\n", "postmaster@acme.com", MAIL_KIND_BOUNCE},
    };
    char text[512], token[TOKEN_MAIL_BYTES], address[128];
    struct token_key key = {.count = 1};
    (void)state;

    memset(key.keys[0], 7, TOKEN_KEY_BYTES);
    token_mail_format(&key, TOKEN_BOUNCE, 99, "z@acme.com", token);
    (void)snprintf(address, sizeof address, "bounce+%s@us.example", token);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        (void)snprintf(text, sizeof text, "%s\nhello\n", rows[i].head);
        struct mail_view view = judge(text, rows[i].sender, address, &doc);
        if (view.kind != rows[i].kind || !view.is_thread_proven || view.thread_delivery != 99)
            fail_msg("%s: got kind %d", rows[i].head, (int)view.kind);
        wire_doc_free(doc);
    }
}

static void test_bounce_when_read_then_the_action_decides(void **state)
{
    static const struct {
        const char *report, *subject, *status; /* report NULL: none; status NULL: it may still arrive */
    } rows[] = {
        {"Reporting-MTA: dns; a\n\nAction: failed\nStatus: 5.1.1\n", "x", "5.1.1"},
        {"Reporting-MTA: dns; a\n\nStatus:\t5.2.2 (full)\nAction: failed\n", "x", "5.2.2"},
        {"Reporting-MTA: dns; a\n\nAction: failed\nStatus: 4.4.7\n", "given up after five days", "5.4.7"},
        {"Reporting-MTA: dns; a\n\nAction: Failed\nStatus: 4.1.1\n", "nothing of the address", "5.0.0"},
        {"Reporting-MTA: dns; a\n\nAction: delayed\nStatus: 4.4.1\n", "x", NULL},
        {"Reporting-MTA: dns; a\n\nAction: relayed\nStatus: 2.0.0\n", "x", NULL},
        {"Reporting-MTA: dns; a\n\nAction: delivered\nStatus: 2.0.0\n\nAction: failed\n\nAction: "
         "delivered\nStatus: 2.0.0\n",
         "x", "5.0.0"},
        {"Reporting-MTA: dns; a\n\nStatus: 4.4.1\n", "x", NULL},
        {"Reporting-MTA: dns; a\n\nStatus: 5.7.1\n", "x", "5.7.1"},
        {"", "x", "5.0.0"},
        {NULL, "failure notice", "5.0.0"},
        {NULL, "Warning: message 1abc delayed 24 hours", NULL},
    };
    struct buf facts;
    (void)state;

    buf_init(&facts, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        struct err err;
        char status[16] = "";
        buf_reset(&facts);
        wire_put_map(&facts, rows[i].report == NULL ? 0 : 1);
        if (rows[i].report != NULL) {
            wire_put_text(&facts, "report");
            wire_put_map(&facts, 1);
            wire_put_key_text(&facts, "text", rows[i].report);
        }
        assert_true(wire_parse(facts.p, facts.len, WIRE_DEPTH_MAX, &doc, &err));
        const struct mail_view view = {.facts = wire_root(doc), .subject = span_of(rows[i].subject)};
        bool is = mail_bounce_read(&view, status, sizeof status);
        if (is != (rows[i].status != NULL) || (is && strcmp(status, rows[i].status) != 0))
            fail_msg("row %zu: %d %s", i, (int)is, status);
        wire_doc_free(doc);
    }
    buf_clear(&facts);
}

/* A notification that was not sent to where our mail came from; the returned part is whole or its headers alone. */
static struct mail_view judge_report(const char *type, const char *fields, const char *returned,
                                     struct wire_doc **ret_doc)
{
    char text[2048];

    (void)snprintf(text, sizeof text,
                   "From: MAILER-DAEMON@mx.acme.com\nMIME-Version: 1.0\n"
                   "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
                   "--b\nContent-Type: text/plain\n\nIt failed.\n"
                   "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\n%s\n"
                   "--b\nContent-Type: %s\n\n%s\n\n--b--\n",
                   fields, type, returned);
    return judge(text, "", "desk@us.example", ret_doc);
}

/* A Message-ID of ours can be guessed: it counts beside our signed mark of the same delivery, for the address that mark was made for. */
static void test_bounce_when_it_returns_our_mail_then_its_mark_proves_it(void **state)
{
    static const char failed[] = "Final-Recipient: rfc822; z@acme.com\nAction: failed\nStatus: 5.1.1\n";
    static const struct {
        const char *name, *type, *fields, *id;
        int64_t marked; /* 0: no mark */
        const char *address;
        bool is_proven;
    } rows[] = {
        {"the mail", "message/rfc822", failed, "n.99@us.example", 99, "z@acme.com", true},
        {"its headers", "text/rfc822-headers", failed, "n.99@us.example", 99, "Z@acme.com", true},
        {"as the sender called it", "message/rfc822",
         "Original-Recipient: RFC822;<z@acme.com>\nFinal-Recipient: rfc822; x@y\nAction: failed\n",
         "n.99@us.example", 99, "z@acme.com", true},
        {"without the mark", "message/rfc822", failed, "n.99@us.example", 0, "z@acme.com", false},
        {"with another's mark", "message/rfc822", failed, "n.99@us.example", 98, "z@acme.com", false},
        {"of another domain", "message/rfc822", failed, "n.99@them.example", 99, "z@acme.com", false},
        {"about another address", "message/rfc822", failed, "n.99@us.example", 99, "boss@us.example", false},
        {"it is only late for that one", "message/rfc822",
         "Final-Recipient: rfc822; x@y\nAction: failed\n\nFinal-Recipient: rfc822; z@acme.com\nAction: "
         "delayed\n",
         "n.99@us.example", 99, "z@acme.com", false},
    };
    char returned[512], mark[TOKEN_MAIL_BYTES];
    struct token_key key = {.count = 1};
    (void)state;

    memset(key.keys[0], 7, TOKEN_KEY_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        token_mail_format(&key, TOKEN_BOUNCE, rows[i].marked, rows[i].address, mark);
        (void)snprintf(returned, sizeof returned, "From: Desk <desk@us.example>\nMessage-ID: <%s>\n%s%s",
                       rows[i].id, rows[i].marked == 0 ? "X-Other: " : "X-Docket-Delivery: ",
                       rows[i].marked == 0 ? "1" : mark);
        struct mail_view view = judge_report(rows[i].type, rows[i].fields, returned, &doc);
        if (view.kind != MAIL_KIND_BOUNCE || view.has_bounce != rows[i].is_proven ||
            (view.has_bounce && view.bounce_delivery != 99))
            fail_msg("%s: %d, %lld", rows[i].name, view.has_bounce, (long long)view.bounce_delivery);
        wire_doc_free(doc);
    }
}

/* GMime shows a domain of another script in its letters; what we know is what came over the wire. */
static void test_sender_when_its_domain_is_in_another_script_then_it_is_known_by_its_ascii(void **state)
{
    struct wire_doc *doc = NULL;
    (void)state;

    struct mail_view view = judge("From: Zoe <zoe@xn--exmple-cua.de>\n\nhi", NULL, NULL, &doc);
    assert_string_equal(view.from, "zoe@xn--exmple-cua.de");
    wire_doc_free(doc);
    view = judge("From: Zoe <zoe@ex\xc3\xa4mple.de>\n\nhi", NULL, NULL, &doc);
    assert_string_equal(view.from, "zoe@xn--exmple-cua.de");
    wire_doc_free(doc);
    view = judge("From: Zoe <zo\xc3\xab@example.de>\n\nhi", NULL, NULL, &doc);
    assert_string_equal(view.from, "");
    wire_doc_free(doc);
}

static void test_ticket_when_judged_then_it_is_found_by_token_number_or_thread(void **state)
{
    char text[1024], token[TOKEN_MAIL_BYTES], number[TRACKING_TEXT_BYTES], address[256];
    struct token_key key = {.count = 1};
    struct wire_doc *doc = NULL;
    struct mail_view view;
    (void)state;

    memset(key.keys[0], 7, TOKEN_KEY_BYTES);
    token_mail_format(&key, TOKEN_REPLY, 4711, "z@acme.com", token);
    (void)snprintf(address, sizeof address, "DESK+%s@Us.Example", token);
    view = judge("From: z@acme.com\nTo: x@y\n\nhi", NULL, address, &doc);
    assert_true(view.has_reply && view.reply_ticket == 4711 && token_is_for(view.token_who, "Z@acme.com"));
    wire_doc_free(doc);
    (void)snprintf(text, sizeof text, "From: z@acme.com\nTo: x@y, Desk <%s>\n\nhi", address);
    view = judge(text, NULL, NULL, &doc);
    assert_true(view.has_reply && !view.has_ack);
    wire_doc_free(doc);
    address[8] = address[8] == '0' ? '1' : '0';
    view = judge("From: z@acme.com\n\nhi", NULL, address, &doc);
    assert_false(view.has_reply);
    wire_doc_free(doc);
    token_mail_format(&key, TOKEN_BOUNCE, 99, "z@acme.com", token);
    (void)snprintf(address, sizeof address, "bounce+%s@us.example", token);
    view = judge("From: mailer@acme.com\n\nit failed", "", address, &doc);
    assert_true(view.has_bounce && view.bounce_delivery == 99 && view.kind == MAIL_KIND_BOUNCE);
    wire_doc_free(doc);
    (void)snprintf(address, sizeof address, "desk+%s@us.example", token); /* a token of another purpose */
    view = judge("From: z@acme.com\n\nhi", NULL, address, &doc);
    assert_false(view.has_reply || view.has_bounce || view.has_ack);
    wire_doc_free(doc);

    tracking_format(tracking_id(200000000, 1, 5), "DKT", number);
    (void)snprintf(text, sizeof text, "From: z@acme.com\nSubject: Re: [%s] about xDKT-1 DKT-BAD\n\nhi",
                   number);
    view = judge(text, NULL, NULL, &doc);
    assert_true(view.number_count == 1 && view.numbers[0] == tracking_id(200000000, 1, 5));
    wire_doc_free(doc);

    view = judge(
        "From: z@acme.com\nReferences: <root@acme.com> <n.12@us.example> <x@y>\nIn-Reply-To: <y@z>\n\nhi",
        NULL, NULL, &doc);
    assert_int_equal(view.thread_delivery, 12);
    wire_doc_free(doc);
    view = judge("From: z@acme.com\nIn-Reply-To: <n.12@evil.example>\n\nhi", NULL, NULL, &doc);
    assert_int_equal(view.thread_delivery, 0);
    wire_doc_free(doc);
}

static void test_keys_when_a_mail_comes_again_then_they_are_equal(void **state)
{
    struct wire_doc *doc = NULL;
    struct mail_view one =
        judge("Received: a\nFrom: z@acme.com\nMessage-ID: <1@x>\n\nhi\n", NULL, NULL, &doc);
    wire_doc_free(doc);
    struct mail_view again =
        judge("Received: b\nReceived: a\nFrom: z@acme.com\nMessage-ID: <1@x>\n\nhi\n", NULL, NULL, &doc);
    wire_doc_free(doc);
    struct mail_view other = judge("From: z@acme.com\nMessage-ID: <1@x>\n\nho\n", NULL, NULL, &doc);
    wire_doc_free(doc);
    struct mail_view answer =
        judge("From: z@acme.com\nMessage-ID: <2@x>\nReferences: <1@x>\n\nhm\n", NULL, NULL, &doc);
    wire_doc_free(doc);
    (void)state;

    assert_string_equal(one.key, again.key);
    assert_string_not_equal(one.key, other.key);
    assert_string_equal(one.correlation, answer.correlation);
}

/* Of a switch or a printer: each of its mails has the same words. */
static void test_keys_when_there_is_no_message_id_then_only_the_same_mail_is_equal(void **state)
{
    static const struct {
        const char *text;
        bool is_same;
    } rows[] = {
        {"From: z@acme.com\nSubject: down\nDate: Wed, 04 Mar 2026 10:00:00 +0100\n\nLink down\n", true},
        {"Delivered-To: desk@us.example\nReceived: by b; Wed, 04 Mar 2026 10:00:02 +0100\nFrom: z@acme.com\n"
         "Subject: down\nDate: Wed, 04 Mar 2026 10:00:00 +0100\n\nLink down\n",
         true},
        {"From: z@acme.com\nSubject: down\nDate: Thu, 05 Mar 2026 10:00:00 +0100\n\nLink down\n", false},
        {"From: y@acme.com\nSubject: down\nDate: Wed, 04 Mar 2026 10:00:00 +0100\n\nLink down\n", false},
        {"From: z@acme.com\nSubject: up\nDate: Wed, 04 Mar 2026 10:00:00 +0100\n\nLink down\n", false},
        {"From: z@acme.com\nSubject: down\n\nLink down\n", false},
    };
    static const char *const undated[] = {"From desk  Wed Mar  4 10:00:01 2026\nReceived: by a id 1\nFrom: "
                                          "z@acme.com\nSubject: down\n\nLink down\n",
                                          "From desk  Wed Mar  4 10:05:01 2026\nReceived: by a id 1\nFrom: "
                                          "z@acme.com\nSubject: down\n\nLink down\n",
                                          "From desk  Wed Mar  4 10:05:01 2026\nReceived: by a id 2\nFrom: "
                                          "z@acme.com\nSubject: down\n\nLink down\n"};
    char keys[3][80], first[80] = "";
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        struct mail_view view = judge(rows[i].text, NULL, NULL, &doc);
        if (i == 0)
            (void)snprintf(first, sizeof first, "%s", view.key);
        if ((strcmp(view.key, first) == 0) != rows[i].is_same)
            fail_msg("row %zu", i);
        wire_doc_free(doc);
    }
    for (size_t i = 0; i < 3; i++) {
        struct wire_doc *doc = NULL;
        (void)snprintf(keys[i], sizeof keys[i], "%s", judge(undated[i], NULL, NULL, &doc).key);
        wire_doc_free(doc);
    }
    assert_string_equal(keys[0], keys[1]); /* the same mail, tried again: the server's own line tells */
    assert_string_not_equal(keys[1], keys[2]);
}

static void test_sender_when_it_is_no_one_address_then_it_is_nobody(void **state)
{
    static const struct {
        const char *header, *from;
    } rows[] = {
        {"From: z@acme.com\n", "z@acme.com"},
        {"From: =?utf-8?q?Zo=C3=AB?= <z@acme.com>\n", "z@acme.com"},
        {"From: a@b.c, z@acme.com\n", ""},
        {"From: \"z@acme.com\" <evil@x.y>\n", "evil@x.y"},
        {"From: nobody\n", ""},
        {"From: <>\n", ""},
        {"From: \"a b\"@acme.com\n", ""},
        {"Subject: none\n", ""},
    };
    char text[256];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        (void)snprintf(text, sizeof text, "%sX: y\n\nhi\n", rows[i].header);
        struct mail_view view = judge(text, NULL, NULL, &doc);
        if (strcmp(view.from, rows[i].from) != 0)
            fail_msg("%s: got \"%s\"", rows[i].header, view.from);
        wire_doc_free(doc);
    }
}

static void test_vouching_when_there_are_several_headers_then_the_topmost_of_ours_counts(void **state)
{
    struct wire_doc *doc = NULL;
    struct mail_view view =
        judge("Authentication-Results: mx.us; dmarc=fail header.from=acme.com\n"
              "Authentication-Results: mx.us; dmarc=pass header.from=acme.com\nFrom: z@acme.com\n\nhi",
              NULL, NULL, &doc);
    (void)state;

    assert_false(view.is_authentic);
    wire_doc_free(doc);
    view = judge("Authentication-Results: other; dmarc=fail\nAuthentication-Results: mx.us; dmarc=pass "
                 "header.from=acme.com\n"
                 "From: z@acme.com\n\nhi",
                 NULL, NULL, &doc);
    assert_true(view.is_authentic);
    wire_doc_free(doc);
}

/* What libraries are known to fall over: each ends with an answer, and this process lives. */
static void test_parser_when_a_mail_is_hostile_then_only_its_child_minds(void **state)
{
    static const struct {
        const char *head, *piece, *tail;
        int count;
    } rows[] = {
        {"From: ", "a:", "\n\nx", 3000},
        {"From: ", "(", "\n\nx", 8000},
        {"From: a@b\nContent-Type: text/plain", "; a=b", "\n\nx", 1500},
        {"From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n",
         "--b\nContent-Type: multipart/mixed; boundary=b\n\n", "x", 900},
        {"From: a@b\nReferences: ", "<a@b> ", "\n\nx", 1300},
        {"From: a@b\nSubject: ", "=?utf-8?b?w6Q=?= ", "\n\nx", 480},
        {"From: a@b\nContent-Type: text/plain; charset=no-such-thing\n\n", "\xff\xfe", "x", 3000},
        {"From: a@b\nContent-Transfer-Encoding: base64\n\n", "!!!!", "=", 3000},
        {"From: a@b\nContent-Type: text/html\n\n", "<b><i>", "x", 20000},
        {"From: a@b\nContent-Type: message/rfc822\n\n", "Content-Type: message/rfc822\n\n", "x", 500},
    };
    struct buf message, facts;
    struct err err;
    (void)state;

    buf_init(&message, 4 << 20);
    buf_init(&facts, MAIL_FACTS_BYTES_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        repeat(&message, rows[i].head, rows[i].piece, rows[i].count, rows[i].tail);
        buf_reset(&facts);
        if (!mail_scan(buf_span(&message), &err))
            fail_msg("row %zu is not what the parser gets: %s", i, err.msg);
        if (mail_parse_apart(buf_span(&message), &facts, &err))
            assert_true(wire_parse(facts.p, facts.len, WIRE_DEPTH_MAX, &doc, &err));
        else
            assert_int_equal(err.code, ERR_MALFORMED);
        wire_doc_free(doc);
    }
    buf_clear(&message);
    buf_clear(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_when_the_shape_is_wrong_then_it_is_told_which_limit),
        cmocka_unit_test(test_scan_when_something_is_over_its_limit_then_it_is_too_large),
        cmocka_unit_test(test_own_words_when_a_mail_is_quoted_then_only_the_tail_is_left_out),
        cmocka_unit_test(test_own_words_when_a_rule_ends_them_then_nothing_behind_is_read),
        cmocka_unit_test(test_first_line_when_it_is_a_word_then_it_approves),
        cmocka_unit_test(test_clean_when_bytes_are_bad_then_what_is_kept_is_text),
        cmocka_unit_test(test_flowed_text_when_read_then_broken_lines_are_whole),
        cmocka_unit_test(test_clear_signed_text_when_read_then_its_armour_is_gone),
        cmocka_unit_test(test_html_when_it_says_its_charset_then_it_is_found),
        cmocka_unit_test(test_html_when_laid_out_then_lines_cells_and_links_stay),
        cmocka_unit_test(test_html_when_read_then_words_stay_and_scripts_go),
        cmocka_unit_test(test_auth_when_our_server_vouches_then_only_for_that_domain),
        cmocka_unit_test(test_kind_when_judged_then_machines_are_told_from_people),
        cmocka_unit_test(test_kind_when_it_comes_to_the_bounce_address_then_answers_are_told_from_bounces),
        cmocka_unit_test(test_bounce_when_read_then_the_action_decides),
        cmocka_unit_test(test_bounce_when_it_returns_our_mail_then_its_mark_proves_it),
        cmocka_unit_test(test_sender_when_its_domain_is_in_another_script_then_it_is_known_by_its_ascii),
        cmocka_unit_test(test_ticket_when_judged_then_it_is_found_by_token_number_or_thread),
        cmocka_unit_test(test_keys_when_a_mail_comes_again_then_they_are_equal),
        cmocka_unit_test(test_keys_when_there_is_no_message_id_then_only_the_same_mail_is_equal),
        cmocka_unit_test(test_sender_when_it_is_no_one_address_then_it_is_nobody),
        cmocka_unit_test(test_vouching_when_there_are_several_headers_then_the_topmost_of_ours_counts),
        cmocka_unit_test(test_parser_when_a_mail_is_hostile_then_only_its_child_minds),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
