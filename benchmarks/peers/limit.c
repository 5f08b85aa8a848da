/*
 * C, one write for each event: one epoll loop, one write for each subscriber and request.
 *
 *     limit PORT
 *
 * A GET subscribes, to Server-Sent Events or where it says Upgrade to WebSocket; the lines of a POST
 * go to all of them. No buffers: who does not take a write at once is dropped. It answers the
 * handshake of the load generator alone, whose key is that of RFC 6455.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_FILES 70000
#define READ_BYTES 65536

enum kind { SSE, WEBSOCKET, KINDS };

struct connection {
    bool open, subscribed;
    enum kind kind;
    int place; /* among the subscribers of its kind */
    char *input;
    size_t count;
};

static struct connection connections[MOST_FILES];
static int subscribers[KINDS][MOST_FILES], subscriber_count[KINDS];

static const char *const welcome[KINDS] = {
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
};

static void drop(int fd)
{
    struct connection *connection = &connections[fd];
    if (connection->subscribed) {
        int kind = connection->kind, last = subscribers[kind][--subscriber_count[kind]];
        subscribers[kind][connection->place] = last;
        connections[last].place = connection->place;
    }
    free(connection->input);
    *connection = (struct connection){ 0 };
    close(fd);
}

static void subscribe(int fd)
{
    struct connection *connection = &connections[fd];
    enum kind kind = strcasestr(connection->input, "\r\nUpgrade: websocket") ? WEBSOCKET : SSE;
    if (write(fd, welcome[kind], strlen(welcome[kind])) < 0) {
        drop(fd);
        return;
    }
    connection->subscribed = true;
    connection->kind = kind;
    connection->place = subscriber_count[kind];
    subscribers[kind][subscriber_count[kind]++] = fd;
    free(connection->input);
    connection->input = NULL;
    connection->count = 0;
}

static void write_frame(FILE *out, enum kind kind, const char *line, size_t length)
{
    if (kind == SSE) {
        fprintf(out, "%zx\r\ndata: %s\n\n\r\n", length + 8, line);
        return;
    }
    putc(0x81, out);
    if (length < 126) putc(length, out);
    else {
        bool large = length > 0xffff;
        putc(large ? 127 : 126, out);
        for (int shift = large ? 56 : 8; shift >= 0; shift -= 8) putc((uint64_t)length >> shift & 0xff, out);
    }
    fwrite(line, 1, length, out);
}

/* Sends all lines to everybody, in one write each. */
static void publish(char *body)
{
    char *frames[KINDS];
    size_t counts[KINDS];
    FILE *out[KINDS];
    for (int kind = 0; kind < KINDS; kind++) out[kind] = open_memstream(&frames[kind], &counts[kind]);
    for (char *line = strtok(body, "\n"); line; line = strtok(NULL, "\n")) {
        for (int kind = 0; kind < KINDS; kind++) write_frame(out[kind], kind, line, strlen(line));
    }
    for (int kind = 0; kind < KINDS; kind++) {
        fclose(out[kind]);
        for (int i = 0; i < subscriber_count[kind]; i++) {
            int fd = subscribers[kind][i];
            if (write(fd, frames[kind], counts[kind]) != (ssize_t)counts[kind]) shutdown(fd, SHUT_RDWR);
        }
        free(frames[kind]);
    }
}

static void take_request(int fd)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct connection *connection = &connections[fd];
    char *body = strstr(connection->input, "\r\n\r\n");
    if (!body) return;
    body += 4;
    if (connection->input[0] == 'G') {
        subscribe(fd);
        return;
    }
    char *length = strcasestr(connection->input, "\r\nContent-Length: ");
    if (connection->count - (body - connection->input) < (length ? strtoul(length + 18, NULL, 10) : 0)) return;
    if (write(fd, answer, sizeof answer - 1) < 0) {
        drop(fd);
        return;
    }
    publish(body);
    connection->count = 0;
}

static void take(int fd)
{
    static char ignored[READ_BYTES];
    struct connection *connection = &connections[fd];
    if (!connection->open) return;
    if (!connection->subscribed) connection->input = realloc(connection->input, connection->count + READ_BYTES + 1);
    char *into = connection->subscribed ? ignored : connection->input + connection->count;
    ssize_t count = recv(fd, into, READ_BYTES, 0);
    if (count <= 0) {
        drop(fd);
        return;
    }
    if (connection->subscribed) return; /* a pong, or a close frame that its end follows */
    connection->count += count;
    connection->input[connection->count] = 0;
    take_request(fd);
}

static void accept_all(int listener, int poll_fd)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[fd] = (struct connection){ .open = true };
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_on(int port)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("limit");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < MOST_FILES ? limit.rlim_max : MOST_FILES;
    setrlimit(RLIMIT_NOFILE, &limit);
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 8000), poll_fd = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, events[512];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    fprintf(stderr, "Listening\n");
    for (;;) {
        int count = epoll_wait(poll_fd, events, 512, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) accept_all(listener, poll_fd);
            else take(events[i].data.fd);
        }
    }
}
