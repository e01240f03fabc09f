/* When people are told; see policy.h. */
#include "policy.h"
#include "mem.h"

#include <stdlib.h>

static const struct policy_limits default_limits = {.customer_short = 30,
                                                    .customer_long = 300,
                                                    .staff_short = 1,
                                                    .staff_long = 20,
                                                    .receipts_alone = 10,
                                                    .summary_after_us = 120 * US_PER_S};

struct policy *policy_new(void)
{
    struct policy *policy = mem_new(1, sizeof *policy);
    policy->limits = default_limits;
    return policy;
}

void policy_free(struct policy *policy)
{
    free(policy);
}
