/* The command line. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct options options = {
    .path = "/", .clients = 100, .inflight = 128, .sources = 1, .warm_up = 8, .frame_bytes = 250,
    .settle = 0.3, .patience = 5,
};

static const char usage[] =
    "usage: load --port P[,P...] --clients N --stage KIND[,name=value...] [...]\n"
    "\n"
    "  --port P[,P...]         the servers on 127.0.0.1, taken in turn; the first is published to\n"
    "  --protocol sse|websocket\n"
    "  --path PATH             of the stream\n"
    "  --tokens FILE           client i says Authorization: Bearer, with line i modulo lines\n"
    "  --ready TEXT            a client is connected when a message has this text; else at the head\n"
    "  --clients N             how many streams (100)\n"
    "  --inflight N            handshakes at once (128)\n"
    "  --sources N             addresses 127.0.0.x that the clients come from (1)\n"
    "  --publish PATH          where the events are posted\n"
    "  --audiences FILE        lines AUDIENCE HEARERS: ledger.c (everything is for everybody)\n"
    "  --frame-bytes B         bytes of an event on the wire, its padding measured by a warm-up (250)\n"
    "  --warm-up K             events of that warm-up (8)\n"
    "  --settle S              pause before each stage (0.3)\n"
    "  --patience S            wait for late events until nothing has come for so long (5); a closed loop\n"
    "                          goes on then, in spite of its window; no event is sent any more when an\n"
    "                          answer has not come for twice as long\n"
    "  --pids P[,P...]         the server's processes, whose CPU and memory are told\n"
    "  --stage listen,seconds=S\n"
    "          closed,window=W,batch=M,seconds=S   event k when all have event k - W\n"
    "          open,rate=R,batch=M,seconds=S       R events a second, whatever comes\n"
    "          open,share=X,batch=M,seconds=S      that share of what the last closed stage found\n"
    "          storm,rate=R,seconds=S,after=A,drop=D,away=K\n"
    "                          D clients drop at second A and come back all at once, with their\n"
    "                          cursor, when K events were published\n";

static void refuse(const char *what)
{
    fprintf(stderr, "load: %s\n%s", what, usage);
    exit(2);
}

static int read_numbers(char *text, int *numbers, int most)
{
    int count = 0;
    for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) {
        if (count == most) refuse("too many of one kind");
        numbers[count++] = atoi(one);
    }
    return count;
}

char **read_lines(const char *path, int *count)
{
    FILE *file = fopen(path, "r");
    if (!file) die("%s: %s", path, strerror(errno));
    char **lines = NULL, *line = NULL;
    size_t room = 0;
    ssize_t length;
    *count = 0;
    while ((length = getline(&line, &room, file)) > 0) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        lines = grown(lines, (*count + 1) * sizeof *lines);
        lines[(*count)++] = strdup(line);
    }
    free(line);
    fclose(file);
    if (!*count) die("%s is empty", path);
    return lines;
}

static enum stage_kind kind_of(const char *name)
{
    static const char *const names[] = { [LISTEN] = "listen", [CLOSED] = "closed", [OPEN] = "open", [STORM] = "storm" };
    for (int kind = LISTEN; kind <= STORM; kind++) {
        if (!strcmp(name, names[kind])) return kind;
    }
    refuse("there is no such kind of stage");
    return LISTEN;
}

static void read_setting(struct stage *stage, const char *name, double value)
{
    if (!strcmp(name, "seconds")) stage->seconds = value;
    else if (!strcmp(name, "window")) stage->window = value;
    else if (!strcmp(name, "batch")) stage->batch = value;
    else if (!strcmp(name, "rate")) stage->rate = value;
    else if (!strcmp(name, "share")) stage->share = value;
    else if (!strcmp(name, "after")) stage->after = value;
    else if (!strcmp(name, "drop")) stage->drop = value;
    else if (!strcmp(name, "away")) stage->away = value;
    else refuse("there is no such setting of a stage");
}

static void read_stage(char *text)
{
    if (options.stage_count == MOST_STAGES) refuse("too many stages");
    struct stage *stage = &options.stages[options.stage_count++];
    const char *kind = strtok(text, ",");
    *stage = (struct stage){ .kind = kind_of(kind ? kind : ""), .seconds = 5, .batch = 1, .window = 8, .after = 1 };
    for (char *pair = strtok(NULL, ","); pair; pair = strtok(NULL, ",")) {
        char *value = strchr(pair, '=');
        if (!value) refuse("a stage's settings are name=value");
        *value++ = 0;
        read_setting(stage, pair, atof(value));
    }
}

static bool has_closed_before(const struct stage *stage)
{
    for (const struct stage *before = options.stages; before < stage; before++) {
        if (before->kind == CLOSED) return true;
    }
    return false;
}

static void check_stage(const struct stage *stage)
{
    bool paced = stage->kind == OPEN || stage->kind == STORM;
    if (stage->batch < 1 || stage->window < 1 || stage->seconds <= 0) refuse("a stage has a negative setting");
    if (paced && stage->rate <= 0 && stage->share <= 0) refuse("an open loop needs a rate or a share");
    if (paced && stage->rate <= 0 && !has_closed_before(stage)) refuse("there is no closed stage to take a share of");
    if (stage->kind != LISTEN && !options.publish_path) refuse("--publish is missing");
    if (stage->kind != STORM) return;
    if (stage->drop < 0 || stage->drop > options.clients) refuse("more clients drop than there are");
    if (stage->rate * (stage->seconds - stage->after) < stage->away) refuse("the storm is shorter than its clients are away");
}

static void check(void)
{
    if (!options.port_count) refuse("--port is missing");
    if (!options.stage_count) refuse("--stage is missing");
    if (options.clients < 1 || options.inflight < 1 || options.sources < 1 || options.sources > 200) {
        refuse("--clients, --inflight or --sources makes no sense");
    }
    for (int i = 0; i < options.stage_count; i++) check_stage(&options.stages[i]);
}

void read_options(int argc, char **argv)
{
    enum { PORT = 256, PROTOCOL, PATH, TOKENS, READY, CLIENTS, INFLIGHT, SOURCES, PUBLISH, AUDIENCES, FRAME_BYTES,
           WARM_UP_EVENTS, SETTLE, PATIENCE, PIDS, STAGE };
    static const struct option names[] = {
        { "port", 1, 0, PORT }, { "protocol", 1, 0, PROTOCOL }, { "path", 1, 0, PATH }, { "tokens", 1, 0, TOKENS },
        { "ready", 1, 0, READY }, { "clients", 1, 0, CLIENTS }, { "inflight", 1, 0, INFLIGHT }, 
        { "sources", 1, 0, SOURCES }, { "publish", 1, 0, PUBLISH }, { "audiences", 1, 0, AUDIENCES },
        { "frame-bytes", 1, 0, FRAME_BYTES }, { "warm-up", 1, 0, WARM_UP_EVENTS }, { "settle", 1, 0, SETTLE },
        { "patience", 1, 0, PATIENCE }, { "pids", 1, 0, PIDS }, { "stage", 1, 0, STAGE },
        { 0, 0, 0, 0 },
    };
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) switch (name) {
        case PORT: options.port_count = read_numbers(optarg, options.ports, MOST_PORTS); break;
        case PROTOCOL:
            options.protocol = strcmp(optarg, "sse") ? WEBSOCKET : SSE;
            if (options.protocol == WEBSOCKET && strcmp(optarg, "websocket")) refuse("--protocol is sse or websocket");
            break;
        case PATH: options.path = optarg; break;
        case TOKENS: options.tokens = read_lines(optarg, &options.token_count); break;
        case READY: options.ready = optarg; break;
        case CLIENTS: options.clients = atoi(optarg); break;
        case INFLIGHT: options.inflight = atoi(optarg); break;
        case SOURCES: options.sources = atoi(optarg); break;
        case PUBLISH: options.publish_path = optarg; break;
        case AUDIENCES: options.audiences_file = optarg; break;
        case FRAME_BYTES: options.frame_bytes = atoi(optarg); break;
        case WARM_UP_EVENTS: options.warm_up = atoi(optarg); break;
        case SETTLE: options.settle = atof(optarg); break;
        case PATIENCE: options.patience = atof(optarg); break;
        case PIDS: options.pid_count = read_numbers(optarg, options.pids, MOST_PIDS); break;
        case STAGE: read_stage(optarg); break;
        default: refuse("an option is unknown or has no value");
        }
    if (optind < argc) refuse("an argument is not understood");
    check();
}
