/* What the parts of the load generator share. main.c tells what it does. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SECOND 1000000000LL /* nanoseconds */

/* The first event's number: all have as many digits, so that all frames are equally long. */
#define FIRST_NUMBER 1000000

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *grown(void *memory, size_t bytes); /* realloc that dies in place of failing */
int64_t monotonic(void);
int64_t wall_clock(void);

/* --- options.c ---------------------------------------------------------------------------- */

enum protocol { SSE, WEBSOCKET };
enum stage_kind { WARM_UP, LISTEN, CLOSED, OPEN, STORM };

struct stage {
    enum stage_kind kind;
    double seconds;
    int batch;       /* events in one request */
    int64_t window;  /* closed loop: how many events not all have yet */
    int64_t events;  /* warm-up: how many */
    double rate;     /* open loop: events a second; 0: a share of what the last closed loop found */
    double share;
    double after;    /* storm: when they drop, in seconds */
    int drop, away;  /* storm: how many connections, and how many events they miss */
};

#define MOST_STAGES 16
#define MOST_PIDS 16
#define MOST_PORTS 16

struct options {
    enum protocol protocol;
    const char *path, *publish_path, *ready, *audiences_file;
    int ports[MOST_PORTS], port_count;
    int clients, inflight, sources, warm_up, frame_bytes;
    double settle, patience;
    char **tokens;
    int token_count;
    int pids[MOST_PIDS], pid_count;
    struct stage stages[MOST_STAGES];
    int stage_count;
};

extern struct options options;
void read_options(int argc, char **argv);
char **read_lines(const char *path, int *count);

/* --- histogram.c -------------------------------------------------------------------------- */

/* Log-linear: 64 steps for each power of two, so an error under 1.6 %. */
#define STEPS 64

struct histogram {
    uint64_t counts[58 * STEPS], total;
    int64_t longest;
};

void histogram_add(struct histogram *histogram, int64_t nanoseconds);
double histogram_ms(const struct histogram *histogram, double share);

/* --- ledger.c: what each client should hear, and what it heard ------------------------------ */

#define REMEMBERED 1024 /* events of a client of which is known whether it has them */

struct account {
    const struct hearing *hearing;
    int64_t first, next; /* counted among the events that it should hear */
    uint64_t heard[REMEMBERED / 64];
    bool known, live;
};

enum verdict { FRESH, LATE, DOUBLED, FOREIGN };

struct ledger {
    int64_t published;
    int64_t completed; /* all events before this one have come to everybody that is there */
    int64_t deliveries, missing, doubled, reordered, foreign;
};

extern struct ledger ledger;
void ledger_begin(const char *audiences_file, int token_count);
const char *ledger_publish(int64_t *event); /* its audience, NULL: everybody's */
void account_join(struct account *account, int client);
void account_leave(struct account *account);
enum verdict account_event(struct account *account, int64_t event);
int64_t account_expected(const struct account *account);
int64_t account_owed(const struct account *account);

/* --- wire.c: from bytes to messages ------------------------------------------------------- */

enum chunk_state { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNKS_DONE, CHUNKS_BAD };

struct chunks {
    enum chunk_state state;
    bool line_empty;
    uint64_t left;
};

/* Decodes what came of a chunked body in place; returns how many bytes of the body it was. */
size_t dechunk(struct chunks *chunks, char *bytes, size_t count);

struct wire {
    bool chunked;
    struct chunks chunks;
    char *held; /* of a message that is not whole yet */
    size_t held_count, held_room;
    char *fragments; /* of a WebSocket message in several frames */
    size_t fragment_count;
    bool in_fragments;
};

enum wire_end { WIRE_ON, WIRE_ENDED, WIRE_BROKEN };

struct client;
enum wire_end wire_take(struct wire *wire, struct client *client, char *bytes, size_t count);
void wire_forget(struct wire *wire);
const char *header_value(const char *head, const char *name);

/* --- client.c: the subscribers -------------------------------------------------------------- */

enum client_state { AWAY, CONNECTING, HEAD, GREETING, LISTENING, GONE };

struct client {
    int fd, index;
    uint8_t state;
    bool drops, catching_up;
    int64_t began, cursor, caught_up_at;
    struct account account;
    struct wire wire;
};

struct tally {
    int opening, listening; /* now */
    int connected;          /* ever, those that came back included */
    int64_t unreachable, closed_early, parse_errors, resets, other, bytes;
    int64_t events, event_bytes; /* that came with nothing but events: no heartbeat weighs there */
    int refused[600]; /* by status */
    int64_t last_delivery;
    char sample[200]; /* of the first refusal, or of what ended a stream */
};

extern struct client *clients;
extern struct tally tally;
extern struct histogram openings;
void client_open(struct client *client);
void client_drop(struct client *client);
void client_ready(struct client *client, uint32_t epoll_events);
void client_give_up(struct client *client, int64_t before);
void client_message(struct client *client, const char *text, size_t count);
void client_answer(struct client *client, int opcode, const char *bytes, size_t count);
void watch(int fd, uint32_t epoll_events, void *who, bool first);

/* --- publisher.c ---------------------------------------------------------------------------- */

struct publisher {
    int fd, pad;
    bool busy, dead;
    int64_t errors, sent_at;
};

extern struct publisher publisher;
void publisher_connect(void);
void publisher_send(int batch, int64_t intended); /* intended: by the wall clock */
void publisher_ready(void);
void publisher_give_up(int64_t now);

/* --- server.c: what the kernel tells of the measured processes ------------------------------ */

struct figures {
    double cpu_seconds, rss_mb, pss_mb;
};

struct figures server_figures(void);
double own_cpu_seconds(void);

/* --- report.c ------------------------------------------------------------------------------- */

struct storm {
    int64_t dropped_at, back_at; /* 0: not yet */
    int64_t target;              /* events published when they came back */
    int left;                    /* of those that came back: not caught up yet */
    struct histogram before, meanwhile, caught_up;
};

struct result {
    const struct stage *stage;
    double rate, seconds, server_cpu, own_busy;
    int64_t began, published, deliveries, other, bytes, events, event_bytes, stalls, publish_errors;
    struct histogram latencies;
    struct storm storm;
    struct figures after;
};

extern struct result results[MOST_STAGES + 2]; /* the warm-up's, and one behind the last */
extern int result_count;

struct opening_figures {
    int connected;
    double seconds;
    struct figures before, after;
};

void report(const struct opening_figures *opening);

#endif
