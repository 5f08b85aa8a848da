/* One keep-alive connection that posts the events, one request at a time. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

#define MOST_REST (2 * SECOND) /* of a connection; common servers allow 5 */

struct publisher publisher = { .fd = -1 };

/* The answer, as far as it came. */
static char answer[8192];
static size_t answer_count, body_left;
static bool in_body, chunked;
static struct chunks chunks;
static int64_t answered_at;

void publisher_connect(void)
{
    int one = 1;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(options.ports[0]) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    publisher.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (publisher.fd < 0) die("socket: %s", strerror(errno));
    answer_count = 0;
    answered_at = monotonic();
    in_body = publisher.busy = false;
    if (connect(publisher.fd, (struct sockaddr *)&to, sizeof to)) {
        publisher.dead = true;
        return;
    }
    setsockopt(publisher.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(publisher.fd, F_SETFL, O_NONBLOCK);
    watch(publisher.fd, EPOLLIN, &publisher, true);
}

static void fail(void)
{
    publisher.errors++;
    close(publisher.fd);
    publisher_connect();
}

static void write_event(FILE *out, int64_t intended)
{
    int64_t event;
    const char *audience = ledger_publish(&event);
    fprintf(out, "{\"n\":%" PRId64 ",\"t\":%" PRId64, FIRST_NUMBER + event, intended);
    if (audience) fprintf(out, ",\"to\":\"%s\"", audience);
    fputs(",\"pad\":\"", out);
    for (int i = 0; i < publisher.pad; i++) putc_unlocked('x', out);
    fputs("\"}", out);
}

/* A server may end a connection that rests, and just when the next request is on its way: events
 * would be lost that no subscriber could have got. */
static void refresh(void)
{
    if (monotonic() - answered_at < MOST_REST) return;
    close(publisher.fd);
    publisher_connect();
}

void publisher_send(int batch, int64_t intended)
{
    refresh();
    if (publisher.dead) return;
    char *body = NULL, *whole = NULL;
    size_t body_count = 0, count = 0;
    FILE *out = open_memstream(&body, &body_count);
    for (int i = 0; i < batch; i++) {
        if (i) fputc('\n', out);
        write_event(out, intended);
    }
    fclose(out);
    out = open_memstream(&whole, &count);
    fprintf(out, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
            options.publish_path, options.ports[0], body_count);
    fwrite(body, 1, body_count, out);
    fclose(out);
    publisher.busy = true;
    publisher.sent_at = monotonic();
    if (send(publisher.fd, whole, count, MSG_NOSIGNAL) != (ssize_t)count) fail();
    free(body);
    free(whole);
}

/* A server that takes a request and never answers would hold up everything. */
void publisher_give_up(int64_t now)
{
    if (publisher.busy && now - publisher.sent_at > 2 * options.patience * SECOND) publisher.dead = true;
}

static void answered(void)
{
    answered_at = monotonic();
    publisher.busy = in_body = false;
    answer_count = 0;
}

/* Returns where the body begins, or NULL while the head is not whole. */
static char *take_head(void)
{
    char *end = strstr(answer, "\r\n\r\n");
    if (!end) return NULL;
    end[2] = 0;
    if (strlen(answer) < 12 || answer[9] != '2') publisher.errors++;
    const char *coding = header_value(answer, "Transfer-Encoding"), *length = header_value(answer, "Content-Length");
    chunked = coding && !strncasecmp(coding, "chunked", 7);
    chunks = (struct chunks){ 0 };
    body_left = length ? strtoul(length, NULL, 10) : 0;
    in_body = true;
    return end + 4;
}

void publisher_ready(void)
{
    ssize_t count = recv(publisher.fd, answer + answer_count, sizeof answer - 1 - answer_count, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        if (publisher.busy) fail();
        else {
            close(publisher.fd);
            publisher_connect();
        }
        return;
    }
    answer_count += count;
    answer[answer_count] = 0;
    char *body = answer, *end = answer + answer_count;
    if (!in_body && !(body = take_head())) {
        if (answer_count == sizeof answer - 1) fail();
        return;
    }
    answer_count = 0;
    if (chunked) dechunk(&chunks, body, end - body);
    else body_left -= (size_t)(end - body) < body_left ? (size_t)(end - body) : body_left;
    if (chunked ? chunks.state >= CHUNKS_DONE : !body_left) answered();
}
