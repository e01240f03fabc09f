/* One check of a version; see check.h. */
#include "check.h"

#include "cases.h"
#include "oncall.h"

static bool check_schedules(struct engine *engine, const char *zone_dir, struct faults *faults)
{
    struct oncall *oncall = NULL;
    bool ok = oncall_new(engine_process(engine), zone_dir, &oncall, faults);

    oncall_take_warnings(oncall, engine_warnings(engine));
    oncall_free(oncall);
    return ok;
}

bool check_version(struct engine *engine, const char *zone_dir, int64_t now_us, struct faults *faults)
{
    struct cases_count unused = {0};
    bool ok = check_schedules(engine, zone_dir, faults);

    ok = cases_run(engine, NULL, NULL, &unused, faults) && ok;
    engine_warn(engine, now_us);
    faults_sort(faults);
    return ok;
}
