/* The results as one JSON object. */
#include <inttypes.h>

#include "load.h"

struct result results[MOST_STAGES + 2];
int result_count;

static void write_text(const char *name, const char *text)
{
    printf("\"%s\":\"", name);
    for (; *text; text++) {
        unsigned char character = *text;
        if (character == '"' || character == '\\') printf("\\%c", character);
        else if (character < ' ' || character > '~') printf("\\u%04x", character);
        else putchar(character);
    }
    printf("\",");
}

static void write_count(const char *name, int64_t count)
{
    printf("\"%s\":%" PRId64 ",", name, count);
}

static void write_figure(const char *name, double figure)
{
    printf("\"%s\":%.3f,", name, figure);
}

static void write_histogram(const char *name, const struct histogram *histogram)
{
    printf("\"%s\":{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},", name,
           histogram->total, histogram_ms(histogram, .5), histogram_ms(histogram, .99), histogram->longest / 1e6);
}

static void write_storm(const struct storm *storm, int dropped)
{
    printf("\"storm\":{");
    write_count("dropped", dropped);
    write_count("not_caught_up", storm->back_at ? storm->left : dropped);
    write_figure("back_at", storm->back_at / 1e9);
    write_histogram("caught_up_ms", &storm->caught_up);
    write_histogram("others_before_ms", &storm->before);
    write_histogram("others_meanwhile_ms", &storm->meanwhile);
    printf("\"back\":%s},", storm->back_at ? "true" : "false");
}

static void write_result(const struct result *result)
{
    static const char *const names[] = { "warm-up", "listen", "closed", "open", "storm" };
    write_count("published", result->published);
    write_count("publish_errors", result->publish_errors);
    write_count("deliveries", result->deliveries);
    write_count("other_messages", result->other);
    write_count("bytes", result->bytes);
    write_count("stalls", result->stalls);
    write_figure("frame_bytes", result->events ? (double)result->event_bytes / result->events : 0);
    write_figure("rate", result->rate);
    write_figure("seconds", result->seconds);
    write_figure("deliveries_per_second", result->seconds > 0 ? result->deliveries / result->seconds : 0);
    write_figure("server_cpu_seconds", result->server_cpu);
    write_figure("server_rss_mb", result->after.rss_mb);
    write_figure("server_pss_mb", result->after.pss_mb);
    write_figure("generator_busy", result->own_busy);
    write_histogram("latency_ms", &result->latencies);
    if (result->stage->kind == STORM) write_storm(&result->storm, result->stage->drop);
    printf("\"kind\":\"%s\"}", names[result->stage->kind]);
}

static void write_refusals(void)
{
    const char *separator = "";
    printf("\"refused\":{");
    for (int status = 0; status < 600; status++) {
        if (!tally.refused[status]) continue;
        printf("%s\"%d\":%d", separator, status, tally.refused[status]);
        separator = ",";
    }
    printf("},");
}

static int64_t owed_by_all(void)
{
    int64_t owed = 0;
    for (int i = 0; i < options.clients; i++) owed += account_owed(&clients[i].account);
    return owed;
}

void report(const struct opening_figures *opening)
{
    printf("{");
    write_text("protocol", options.protocol == SSE ? "sse" : "websocket");
    write_count("clients", options.clients);
    write_count("connected", opening->connected);
    write_count("listening", tally.listening);
    write_figure("opening_seconds", opening->seconds);
    write_figure("opening_server_cpu_seconds", opening->after.cpu_seconds - opening->before.cpu_seconds);
    write_histogram("opening_ms", &openings);
    write_figure("rss_before_mb", opening->before.rss_mb);
    write_figure("rss_connected_mb", opening->after.rss_mb);
    write_figure("pss_before_mb", opening->before.pss_mb);
    write_figure("pss_connected_mb", opening->after.pss_mb);
    write_refusals();
    write_count("unreachable", tally.unreachable);
    write_count("closed_early", tally.closed_early);
    write_count("resets", tally.resets);
    write_count("other_messages", tally.other);
    write_text("sample", tally.sample);
    write_count("published", ledger.published);
    write_count("publish_errors", publisher.errors);
    printf("\"publisher_lost\":%s,", publisher.dead ? "true" : "false");
    write_count("deliveries", ledger.deliveries);
    write_count("missing", ledger.missing + owed_by_all());
    write_count("doubled", ledger.doubled);
    write_count("reordered", ledger.reordered);
    write_count("foreign", ledger.foreign);
    write_count("parse_errors", tally.parse_errors);
    printf("\"stages\":[");
    for (int i = 0; i < result_count; i++) {
        printf(i ? ",{" : "{");
        write_result(&results[i]);
    }
    printf("]}\n");
}
