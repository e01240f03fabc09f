/* A layer out of an iCalendar file. */
#include "oncall_internal.h"

bool oncall_import(const struct oncall *oncall, struct oncall_layer *layer, const char *zone_dir,
                   struct faults *faults)
{
    (void)oncall;
    (void)zone_dir;
    return faults_add(faults, layer->plan->place, "import: cannot be read yet");
}
