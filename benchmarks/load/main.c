/*
 * A load generator for fan-out: opens many streams to a server, Server-Sent Events or WebSocket,
 * posts events to it, and takes down what each stream got of them. One thread, one epoll loop,
 * nothing but the C library. What it found is one JSON object on stdout.
 *
 * An event is the JSON object {"n":…,"t":…,"pad":"…"}: its number and when it was sent, in
 * nanoseconds of the wall clock. In an open loop that is when it should have been sent: a server that
 * is slow to take it cannot hide that. Whatever a stream brings that names n and t is an event, in
 * whatever it is wrapped.
 *
 * Everything is done in stages, one after the other on the same streams: --stage in options.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define EPOLL_EVENTS 64    /* in one round: few, so that the publisher stays prompt */
#define OPENED_AT_ONCE 64  /* in one round: others are read meanwhile */
#define OPENING_SECONDS 30 /* after which a handshake is given up */
#define FEWEST_EVENTS 5    /* of an open loop, whatever its rate */
#define WARM_UP_PAD 100

enum phase { CONNECT, PAUSE, RUN, DRAIN, OVER };

static enum phase phase;
static int poll_fd, timer_fd, opened, returning, next_stage;
static int64_t began, phase_began, published_before, deliveries_before, other_before, bytes_before, errors_before;
static int64_t events_before, event_bytes_before;
static double own_cpu_before;
static struct figures figures_before;
static struct opening_figures opening;
static struct stage warm_up = { .kind = WARM_UP, .batch = 1, .window = 1 };

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *grown(void *memory, size_t bytes)
{
    memory = realloc(memory, bytes);
    if (!memory) die("out of memory");
    return memory;
}

static int64_t now_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

int64_t monotonic(void) { return now_of(CLOCK_MONOTONIC); }
int64_t wall_clock(void) { return now_of(CLOCK_REALTIME); }

void watch(int fd, uint32_t epoll_events, void *who, bool first)
{
    struct epoll_event event = { .events = epoll_events, .data.ptr = who };
    if (epoll_ctl(poll_fd, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event)) die("epoll: %s", strerror(errno));
}

static void enter(enum phase next, int64_t now)
{
    phase = next;
    phase_began = now;
}

static struct result *present(void) { return &results[result_count]; }

/* --- opening ------------------------------------------------------------------------------ */

static void open_more(void)
{
    for (int i = 0; i < OPENED_AT_ONCE && opened < options.clients; i++) {
        if (tally.opening >= options.inflight) return;
        clients[opened].index = opened;
        clients[opened].cursor = -1;
        client_open(&clients[opened++]);
    }
}

static void give_up_old_openings(int64_t now)
{
    static int64_t looked;
    if (!tally.opening || now - looked < SECOND) return;
    looked = now;
    for (int i = 0; i < opened; i++) client_give_up(&clients[i], now - OPENING_SECONDS * SECOND);
}

static void connect_all(int64_t now)
{
    open_more();
    if (opened < options.clients || tally.opening) return;
    opening.connected = tally.connected;
    opening.seconds = (now - began) / 1e9;
    opening.after = server_figures();
    if (options.publish_path) publisher_connect();
    enter(PAUSE, now);
}

/* --- publishing --------------------------------------------------------------------------- */

static int64_t published(void) { return ledger.published - published_before; }

/* Sends what is due by the clock; false when all is sent. */
static bool publish_by_rate(const struct stage *stage, int64_t now)
{
    double rate = present()->rate;
    int64_t total = rate * stage->seconds + 0.5;
    if (total < FEWEST_EVENTS) total = FEWEST_EVENTS;
    while (!publisher.busy && !publisher.dead) {
        int64_t due = present()->began + (int64_t)(SECOND / rate * published());
        if (published() >= total) return false;
        if (due > now) {
            struct itimerspec at = { .it_value = { due / SECOND, due % SECOND } };
            timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
            break;
        }
        publisher_send(stage->batch, wall_clock() - (now - due));
        now = monotonic();
    }
    return published() < total;
}

/* Sends what the window has room for; false when its time is over. */
static bool publish_by_window(const struct stage *stage, int64_t now)
{
    while (!publisher.busy && !publisher.dead) {
        if (stage->kind == WARM_UP ? published() >= stage->events : now >= present()->began + stage->seconds * SECOND) {
            return false;
        }
        int64_t outstanding = ledger.published - ledger.completed;
        if (outstanding && outstanding + stage->batch > stage->window) {
            int64_t last = tally.last_delivery > publisher.sent_at ? tally.last_delivery : publisher.sent_at;
            if (now - last < options.patience * SECOND) break;
            present()->stalls++; /* what does not come any more may not stop everything */
        }
        publisher_send(stage->batch, wall_clock());
        now = monotonic();
    }
    return true;
}

/* --- the storm ---------------------------------------------------------------------------- */

static void drop_clients(const struct stage *stage, int64_t now)
{
    present()->storm.dropped_at = now;
    present()->storm.target = ledger.published + stage->away;
    for (int i = 0; i < stage->drop; i++) {
        if (clients[i].state == LISTENING) client_drop(&clients[i]);
    }
    returning = 0;
}

static void call_back(const struct stage *stage, int64_t now)
{
    struct storm *storm = &present()->storm;
    storm->back_at = now;
    for (int i = 0; i < stage->drop; i++) {
        struct client *client = &clients[i];
        if (client->state != AWAY) continue;
        client->caught_up_at = account_expected(&client->account);
        client->catching_up = client->account.next < client->caught_up_at;
        storm->left += client->catching_up;
    }
}

static void open_again(const struct stage *stage)
{
    for (int i = 0; i < OPENED_AT_ONCE && returning < stage->drop; returning++) {
        if (clients[returning].state != AWAY) continue;
        client_open(&clients[returning]);
        i++;
    }
}

static void storm(const struct stage *stage, int64_t now)
{
    struct storm *storm = &present()->storm;
    if (!storm->dropped_at) {
        if (now >= present()->began + stage->after * SECOND) drop_clients(stage, now);
    } else if (!storm->back_at) {
        if (ledger.published >= storm->target) call_back(stage, now);
    } else open_again(stage);
}

/* --- stages ------------------------------------------------------------------------------- */

/* What the last closed loop found, in events a second; 0 where nothing came. */
static double found_rate(void)
{
    for (int i = result_count - 1; i >= 0; i--) {
        if (results[i].stage->kind == CLOSED && results[i].seconds > 0) return results[i].published / results[i].seconds;
    }
    return 0;
}

static void begin_stage(const struct stage *stage, int64_t now)
{
    struct result *result = present();
    if (stage->kind == OPEN || stage->kind == STORM) {
        result->rate = stage->rate > 0 ? stage->rate : stage->share * found_rate();
        if (result->rate <= 0) { /* nothing came there: there is nothing to measure any more */
            enter(OVER, now);
            return;
        }
    }
    result->stage = stage;
    for (int i = 0; i < options.clients; i++) clients[i].drops = i < stage->drop;
    published_before = ledger.published;
    deliveries_before = ledger.deliveries;
    other_before = tally.other;
    bytes_before = tally.bytes;
    events_before = tally.events;
    event_bytes_before = tally.event_bytes;
    errors_before = publisher.errors;
    figures_before = server_figures();
    own_cpu_before = own_cpu_seconds();
    tally.last_delivery = 0;
    result->began = monotonic();
    enter(RUN, now);
}

static void next(int64_t now)
{
    if (options.publish_path && options.warm_up && !result_count) {
        warm_up.events = options.warm_up;
        publisher.pad = WARM_UP_PAD;
        begin_stage(&warm_up, now);
    } else begin_stage(&options.stages[next_stage++], now);
}

static bool goes_on(const struct stage *stage, int64_t now)
{
    if (!tally.listening && !tally.opening && stage->kind != STORM) return false;
    publisher_give_up(now);
    if (publisher.dead) return false;
    if (stage->kind == STORM) storm(stage, now);
    if (stage->kind == LISTEN) return now < present()->began + stage->seconds * SECOND;
    if (stage->kind == OPEN || stage->kind == STORM) return publish_by_rate(stage, now);
    return publish_by_window(stage, now);
}

static bool is_drained(const struct stage *stage, int64_t now)
{
    const struct storm *storm = &present()->storm;
    int64_t last = tally.last_delivery > phase_began ? tally.last_delivery : phase_began;
    if (now - last > options.patience * SECOND) return true;
    if (stage->kind == STORM && (!storm->back_at || returning < stage->drop || storm->left)) return false;
    return ledger.completed == ledger.published && !publisher.busy;
}

static void end_stage(int64_t now)
{
    struct result *result = present();
    int64_t last = result->stage->kind == LISTEN ? now : tally.last_delivery;
    result->after = server_figures();
    result->seconds = last ? (last - result->began) / 1e9 : 0;
    result->published = published();
    result->deliveries = ledger.deliveries - deliveries_before;
    result->other = tally.other - other_before;
    result->bytes = tally.bytes - bytes_before;
    result->events = tally.events - events_before;
    result->event_bytes = tally.event_bytes - event_bytes_before;
    result->publish_errors = publisher.errors - errors_before;
    result->server_cpu = result->after.cpu_seconds - figures_before.cpu_seconds;
    double own_cpu = own_cpu_seconds() - own_cpu_before;
    result->own_busy = own_cpu / ((now - result->began) / 1e9);
    if (result->stage->kind == WARM_UP && result->events) {
        int pad = WARM_UP_PAD + options.frame_bytes - (int)(result->event_bytes / result->events);
        publisher.pad = pad > 0 ? pad : 0;
    }
    result_count++;
    enter(next_stage < options.stage_count ? PAUSE : OVER, now);
}

static void step(int64_t now)
{
    give_up_old_openings(now);
    switch (phase) {
    case CONNECT: connect_all(now); break;
    case PAUSE:
        if (now - phase_began >= options.settle * SECOND) next(now);
        break;
    case RUN:
        if (!goes_on(present()->stage, now)) enter(DRAIN, now);
        break;
    case DRAIN:
        if (present()->stage->kind == STORM) storm(present()->stage, now);
        if (is_drained(present()->stage, now)) end_stage(now);
        break;
    case OVER: break;
    }
}

/* --- the loop ----------------------------------------------------------------------------- */

static void poll_once(void)
{
    struct epoll_event events[EPOLL_EVENTS];
    bool storms = phase >= RUN && phase < OVER && returning < present()->stage->drop && present()->storm.back_at;
    int patience = phase == CONNECT ? 1 : storms ? 0 : 10;
    int count = epoll_wait(poll_fd, events, EPOLL_EVENTS, patience);
    for (int i = 0; i < count; i++) {
        void *who = events[i].data.ptr;
        uint64_t ticks;
        if (!who) {
            if (read(timer_fd, &ticks, sizeof ticks) < 0) continue;
        } else if (who == &publisher) publisher_ready();
        else client_ready(who, events[i].events);
    }
}

static void allow_files(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < (rlim_t)options.clients + 32) {
        die("%d clients need more open files than the hard limit of %ju", options.clients, (uintmax_t)limit.rlim_max);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    allow_files();
    clients = grown(NULL, options.clients * sizeof *clients);
    memset(clients, 0, options.clients * sizeof *clients);
    ledger_begin(options.audiences_file, options.token_count);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(timer_fd, EPOLLIN, NULL, true);
    opening.before = server_figures();
    began = monotonic();
    while (phase != OVER) {
        step(monotonic());
        poll_once();
    }
    report(&opening);
    return 0;
}
