/* The key wins: a check that time or the state of things decides (an instant too far back, a gap in the on-call plan) may refuse what it let
 * pass before. Whoever is about to refuse for that asks here first: was the key used, the op goes its usual way, and its statement finds what
 * was done. */
#ifndef DOCKET_KEY_KNOWN_H
#define DOCKET_KEY_KNOWN_H

#include "err.h"

struct broker;
struct call;

/* err NULL: the key was used before, by whatever request. Else the refusal that was given, or why the database could not be asked. */
typedef void key_known_fn(void *arg, struct call *call, const struct err *err);

/* Calls then once, after all that this broker was writing; at once when the request has no key. refusal is copied. Takes the call until then. */
void key_known_or(struct broker *broker, struct call *call, const struct err *refusal, key_known_fn *then,
                  void *arg);

#endif
