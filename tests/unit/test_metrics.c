/* The metrics registry: what Prometheus reads. */
#include "metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_has(const struct buf *out, const char *line)
{
    if (strstr(buf_text(out), line) == NULL)
        fail_msg("no \"%s\" in:\n%s", line, buf_text(out));
}

static void test_metrics_write_when_each_kind_was_used_then_all_series_are_there(void **state)
{
    static const char *const results[] = {"delivered", "temporary"};
    static const double bounds[] = {0.5, 1};
    struct metrics *metrics = metrics_new("notifier");
    struct metric *sent = metrics_counter(metrics, "attempts_total", "Attempts by result.",
                                          (struct metric_label){"result", results, 2});
    struct metric *pending = metrics_gauge(metrics, "outbox_pending", "Rows that wait.", METRIC_PLAIN);
    struct metric *took =
        metrics_histogram(metrics, "attempt_seconds", "Time of an attempt.", METRIC_PLAIN, bounds, 2);
    struct buf out;
    (void)state;

    metric_add(sent, 1, 2);
    metric_set(pending, 0, 7.5);
    metric_observe(took, 0, 0.5);
    metric_observe(took, 0, 0.75);
    metric_observe(took, 0, 9);
    buf_init(&out, 1 << 16);
    metrics_write(metrics, &out);
    assert_has(&out, "docket_build_info{program=\"notifier\",version=\"" DOCKET_VERSION "\"} 1\n");
    assert_has(&out, "# TYPE docket_notifier_attempts_total counter\n");
    assert_has(&out, "docket_notifier_attempts_total{result=\"delivered\"} 0\n");
    assert_has(&out, "docket_notifier_attempts_total{result=\"temporary\"} 2\n");
    assert_has(&out, "docket_notifier_outbox_pending 7.5\n");
    assert_has(&out, "docket_notifier_attempt_seconds_bucket{le=\"0.5\"} 1\n");
    assert_has(&out, "docket_notifier_attempt_seconds_bucket{le=\"1\"} 2\n");
    assert_has(&out, "docket_notifier_attempt_seconds_bucket{le=\"+Inf\"} 3\n");
    assert_has(&out, "docket_notifier_attempt_seconds_sum 10.25\n");
    assert_has(&out, "docket_notifier_attempt_seconds_count 3\n");
    assert_true(metric_value(took, 0) == 3);
    buf_clear(&out);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_write_when_each_kind_was_used_then_all_series_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
