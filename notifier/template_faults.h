/* Templates that fail although they were checked (their result is too long, they never end): ops hear of each kind, once, by an alert
 * template:KIND that ends with the next process. Knows no words. */
#ifndef DOCKET_TEMPLATE_FAULTS_H
#define DOCKET_TEMPLATE_FAULTS_H

struct notifier;
struct template_faults;

struct template_faults *template_faults_new(struct notifier *notifier);
void template_faults_free(struct template_faults *faults);

/* A message of this kind went out in plain words. Writes nothing yet: it may be called between statements of others. */
void template_faults_note(struct template_faults *faults, const char *kind, const char *why);

/* Another process came while this one ran: what was wrong with the old one is over. */
void template_faults_end(struct template_faults *faults);

/* From the loop, while the database is there. */
void template_faults_tick(struct template_faults *faults);

#endif
