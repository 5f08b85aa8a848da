/* The subscribers: each one stream, from its connect to its end. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define READ_BYTES (256 * 1024)

struct client *clients;
struct tally tally;
struct histogram openings;

static char input[READ_BYTES + 1];
static int64_t read_at; /* by the wall clock, as the publisher's times */

static void take_sample(const char *text, size_t count)
{
    if (tally.sample[0]) return;
    if (count >= sizeof tally.sample) count = sizeof tally.sample - 1;
    memcpy(tally.sample, text, count);
}

static void leave(struct client *client)
{
    if (client->state == LISTENING) tally.listening--;
    else tally.opening--;
    account_leave(&client->account);
    wire_forget(&client->wire);
    close(client->fd);
}

/* The server ended it, or broke its protocol. */
static void lose(struct client *client)
{
    if (client->state == GONE) return;
    leave(client);
    if (client->state == LISTENING) tally.closed_early++;
    else tally.unreachable++;
    client->state = GONE;
}

static void refuse(struct client *client, const char *head)
{
    int status = strlen(head) > 12 ? atoi(head + 9) : 0;
    tally.refused[status > 0 && status < 600 ? status : 0]++;
    take_sample(head, strlen(head));
    leave(client);
    client->state = GONE;
}

/* The client's own will. */
void client_drop(struct client *client)
{
    leave(client);
    client->state = AWAY;
}

void client_give_up(struct client *client, int64_t before)
{
    bool opening = client->state >= CONNECTING && client->state < LISTENING;
    if (opening && client->began < before) lose(client);
}

static struct sockaddr_in loopback(uint32_t address, int port)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(port) };
    there.sin_addr.s_addr = htonl(address);
    return there;
}

void client_open(struct client *client)
{
    int one = 1;
    struct sockaddr_in to = loopback(INADDR_LOOPBACK, options.ports[client->index % options.port_count]);
    struct sockaddr_in from = loopback(INADDR_LOOPBACK + client->index % options.sources, 0);
    client->began = monotonic();
    client->state = CONNECTING;
    tally.opening++;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) die("socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (options.sources > 1) {
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(client->fd, (struct sockaddr *)&from, sizeof from)) die("bind: %s", strerror(errno));
    }
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) lose(client);
    else watch(client->fd, EPOLLOUT, client, true);
}

static bool send_whole(struct client *client, const char *bytes, size_t count)
{
    /* Requests and answers are small: where they do not fit, the other side is stuck. */
    if (send(client->fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count) return true;
    lose(client);
    return false;
}

static void request(struct client *client)
{
    int error = 0, port = options.ports[client->index % options.port_count];
    socklen_t length = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        lose(client);
        return;
    }
    char *head = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&head, &count);
    bool resumes = client->account.known && client->cursor >= 0;
    fprintf(out, "GET %s", options.path);
    if (resumes && options.protocol == WEBSOCKET) {
        fprintf(out, "%clastEventId=%" PRId64, strchr(options.path, '?') ? '&' : '?', client->cursor);
    }
    fprintf(out, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", port);
    if (options.token_count) {
        fprintf(out, "Authorization: Bearer %s\r\n", options.tokens[client->index % options.token_count]);
    }
    if (options.protocol == WEBSOCKET) {
        fprintf(out, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    } else {
        fprintf(out, "Accept: text/event-stream\r\n");
        if (resumes) fprintf(out, "Last-Event-ID: %" PRId64 "\r\n", client->cursor);
    }
    fprintf(out, "\r\n");
    fclose(out);
    client->state = HEAD;
    watch(client->fd, EPOLLIN | EPOLLRDHUP | EPOLLET, client, false);
    send_whole(client, head, count);
    free(head);
}

/* Send one frame that answers the server; a client's frames are masked. */
void client_answer(struct client *client, int opcode, const char *bytes, size_t count)
{
    char frame[6 + 125];
    if (count > 125) count = 125;
    uint32_t mask = (uint32_t)random();
    frame[0] = (char)(0x80 | opcode);
    frame[1] = (char)(0x80 | count);
    memcpy(frame + 2, &mask, sizeof mask);
    for (size_t i = 0; i < count; i++) frame[6 + i] = bytes[i] ^ frame[2 + i % 4];
    send_whole(client, frame, 6 + count);
}

static void opened(struct client *client)
{
    client->state = LISTENING;
    tally.opening--;
    tally.listening++;
    tally.connected++;
    histogram_add(&openings, monotonic() - client->began);
    account_join(&client->account, client->index);
}

/* Reads the head of the answer, or waits for the rest; returns where the body begins. */
static char *take_head(struct client *client, char *bytes, size_t count)
{
    struct wire *wire = &client->wire;
    wire->held = grown(wire->held, wire->held_count + count + 1);
    memcpy(wire->held + wire->held_count, bytes, count);
    size_t together = wire->held_count + count;
    wire->held[together] = 0;
    char *end = strstr(wire->held, "\r\n\r\n");
    if (!end) {
        wire->held_count = wire->held_room = together;
        if (together > 65536) lose(client);
        return NULL;
    }
    size_t head = end + 4 - wire->held;
    end[2] = 0;
    bool welcome = strlen(wire->held) > 12 && atoi(wire->held + 9) == (options.protocol == SSE ? 200 : 101);
    const char *coding = header_value(wire->held, "Transfer-Encoding");
    wire->chunked = coding && !strncasecmp(coding, "chunked", 7);
    if (!welcome) {
        end[2] = '\r'; /* the body tells why */
        refuse(client, wire->held);
        return NULL;
    }
    char *body = bytes + (head - wire->held_count);
    wire->held_count = 0;
    client->state = GREETING;
    if (!options.ready) opened(client);
    return body;
}

/* The number behind a key of a JSON object, or of an SSE line. */
static bool find_number(const char *text, size_t count, const char *key, int64_t *number)
{
    size_t length = strlen(key);
    const char *end = text + count, *at = memmem(text, count, key, length);
    if (!at) return false;
    for (at += length; at < end && *at == ' '; at++) {}
    const char *digits = at;
    int64_t value = 0;
    for (; at < end && *at >= '0' && *at <= '9' && at - digits < 18 + 1; at++) value = value * 10 + (*at - '0');
    *number = value;
    return at > digits;
}

static void keep_cursor(struct client *client, const char *text, size_t count)
{
    static const char *const keys[] = { [SSE] = "id:", [WEBSOCKET] = "{\"id\":" };
    const char *key = keys[options.protocol];
    if (count > strlen(key) && !memcmp(text, key, strlen(key))) find_number(text, count, key, &client->cursor);
}

static bool mentions(const char *text, size_t count, const char *what)
{
    return memmem(text, count, what, strlen(what)) != NULL;
}

static void other_message(struct client *client, const char *text, size_t count)
{
    tally.other++;
    if (client->state == GREETING && mentions(text, count, options.ready)) opened(client);
    else if (mentions(text, count, "\"type\":\"reset\"")) tally.resets++;
    else if (mentions(text, count, "\"type\":\"closing\"")) take_sample(text, count);
}

static void event_came(struct client *client, int64_t sent)
{
    struct result *result = &results[result_count]; /* between stages: of the next one */
    struct storm *storm = &result->storm;
    int64_t latency = read_at - sent;
    tally.last_delivery = monotonic();
    if (client->catching_up) {
        if (client->account.next >= client->caught_up_at) {
            client->catching_up = false;
            storm->left--;
            histogram_add(&storm->caught_up, tally.last_delivery - storm->back_at);
        }
        return;
    }
    histogram_add(&result->latencies, latency);
    if (client->drops) return;
    if (!storm->dropped_at) histogram_add(&storm->before, latency);
    else if (storm->left && storm->back_at) histogram_add(&storm->meanwhile, latency);
}

void client_message(struct client *client, const char *text, size_t count)
{
    int64_t number, sent;
    keep_cursor(client, text, count);
    if (!find_number(text, count, "\"n\":", &number) || !find_number(text, count, "\"t\":", &sent)) {
        other_message(client, text, count);
        return;
    }
    tally.events++;
    enum verdict verdict = account_event(&client->account, number - FIRST_NUMBER);
    if (verdict == FRESH || verdict == LATE) event_came(client, sent);
}

/* Reads once; true where more may be there. */
static bool take_some(struct client *client)
{
    ssize_t count = recv(client->fd, input, READ_BYTES, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count <= 0) {
        lose(client);
        return false;
    }
    read_at = wall_clock();
    tally.bytes += count;
    char *body = input, *end = input + count;
    if (client->state == HEAD && !(body = take_head(client, input, count))) return client->state == HEAD;
    int64_t events = tally.events, other = tally.other;
    enum wire_end outcome = wire_take(&client->wire, client, body, end - body);
    if (tally.other == other) tally.event_bytes += end - body;
    else tally.events = events;
    if (client->state == GONE) return false;
    if (outcome == WIRE_BROKEN) tally.parse_errors++;
    if (outcome != WIRE_ON) lose(client);
    return client->state != GONE && count == READ_BYTES;
}

void client_ready(struct client *client, uint32_t epoll_events)
{
    if (client->state == CONNECTING) request(client);
    else if (client->state != GONE && client->state != AWAY) {
        /* Edges alone are told: what came together with the end would hide it. */
        bool ended = epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        while (take_some(client) || (ended && client->state > CONNECTING && client->state < GONE)) {}
    }
}
