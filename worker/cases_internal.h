/* What the files of the runner of cases share. Not for others. */
#ifndef DOCKET_CASES_INTERNAL_H
#define DOCKET_CASES_INTERNAL_H

#include "buf.h"
#include "cases.h"
#include "trial.h"
#include "yaml_node.h"

enum { CASE_BYTES_MAX = 4 << 20, CASE_DEPTH_MAX = 32, CASE_LINE_BYTES = 512 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A Monday morning: the desk is open in most calendars. */
#define POSTED_BY_DEFAULT "2026-03-02T09:00:00Z"

/* One case under way. */
struct case_state {
    const struct engine *engine;
    struct faults *faults;
    struct trial *trial;
    int64_t now;
    size_t seen[TRIAL_LISTS]; /* what was said before this step */
    struct buf wrong;         /* lines of differences, for people */
    char step[CASE_LINE_BYTES];
    bool step_told; /* the step's head is in wrong already */
};

/* Whether a node is of a kind; else it is told, with what would be right there: form, for people to copy. */
bool case_is_map(struct case_state *run, const struct yaml_node *node, const char *what, const char *form);
bool case_is_scalar(struct case_state *run, const struct yaml_node *node, const char *what);
/* A text, or a list of texts. */
bool case_is_texts(struct case_state *run, const struct yaml_node *node, const char *what, const char *form);
bool case_instant(struct case_state *run, const struct yaml_node *node, const char *what, int64_t *ret);
bool case_span(struct case_state *run, const struct yaml_node *node, const char *what, int64_t *ret_s);

/* What is written as a value, as a client would send it. */
void case_put_node(const struct yaml_node *node, struct buf *out);

/* The texts of what case_is_texts takes. */
size_t case_texts_count(const struct yaml_node *node);
const struct yaml_node *case_text_at(const struct yaml_node *node, size_t i);

/* A line of what was wanted and what was there. */
void case_differ(struct case_state *run, const char *field, const char *want, const char *got);
/* Compares the ticket, its clocks and what was told with what a step expects.
 * in:  want  NULL: nothing     has_op  somebody did something in the step */
void case_expect(struct case_state *run, const struct yaml_node *want, bool has_op);
/* The same of what was said in the step: told, asked, warned. */
void case_expect_said(struct case_state *run, const struct yaml_node *want);

#endif
