/* From bytes to messages: chunked bodies, Server-Sent Events, WebSocket frames, cut anywhere. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

/* A longer message than this is no message. */
#define LONGEST (64u << 20)

static int hex_digit(char character)
{
    int low = character | 32;
    if (character >= '0' && character <= '9') return character - '0';
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

size_t dechunk(struct chunks *chunks, char *bytes, size_t count)
{
    char *out = bytes, *at = bytes, *end = bytes + count;
    while (at < end && chunks->state < CHUNKS_DONE) {
        switch (chunks->state) {
        case CHUNK_SIZE:
            if (hex_digit(*at) < 0) chunks->state = CHUNK_EXTENSION;
            else if (chunks->left >> 32) chunks->state = CHUNKS_BAD;
            else chunks->left = chunks->left * 16 + hex_digit(*at++);
            break;
        case CHUNK_EXTENSION:
            if (*at++ == '\n') {
                chunks->state = chunks->left ? CHUNK_DATA : CHUNK_TRAILER;
                chunks->line_empty = true;
            }
            break;
        case CHUNK_DATA: {
            size_t here = end - at;
            if (here > chunks->left) here = chunks->left;
            memmove(out, at, here);
            out += here;
            at += here;
            chunks->left -= here;
            if (!chunks->left) chunks->state = CHUNK_DATA_END;
            break;
        }
        case CHUNK_DATA_END:
            if (*at == '\n') chunks->state = CHUNK_SIZE;
            else if (*at != '\r') chunks->state = CHUNKS_BAD;
            at++;
            break;
        default: /* a line of the trailer; the empty one ends it */
            if (*at == '\n') {
                if (chunks->line_empty) chunks->state = CHUNKS_DONE;
                chunks->line_empty = true;
            } else if (*at != '\r') chunks->line_empty = false;
            at++;
        }
    }
    return out - bytes;
}

/* Hands on the whole frames; returns how many bytes they took. */
static size_t take_sse(struct client *client, char *bytes, size_t count)
{
    size_t at = 0, frame = 0;
    char *newline;
    while (client->state >= GREETING && client->state < GONE && (newline = memchr(bytes + at, '\n', count - at))) {
        size_t length = newline - (bytes + at);
        if (length && bytes[at + length - 1] == '\r') length--;
        size_t next = newline + 1 - bytes;
        if (!length) {
            if (at > frame) client_message(client, bytes + frame, at - frame);
            frame = next;
        }
        at = next;
    }
    return frame;
}

struct frame {
    int opcode;
    bool final;
    char *body;
    size_t length;
};

/* Reads the frame at the beginning; returns its bytes, 0 where it is not whole, -1 for nonsense. */
static ssize_t read_frame(struct frame *frame, char *bytes, size_t count)
{
    const uint8_t *head = (const uint8_t *)bytes;
    if (count < 2) return 0;
    uint64_t length = head[1] & 0x7f;
    size_t head_length = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (head[1] & 0x80 || head[0] & 0x70) return -1; /* servers mask nothing, and nothing was agreed on */
    if (count < head_length) return 0;
    if (head_length > 2) {
        length = 0;
        for (size_t i = 2; i < head_length; i++) length = length << 8 | head[i];
    }
    if (length > LONGEST) return -1;
    if (count < head_length + length) return 0;
    *frame = (struct frame){ head[0] & 0x0f, head[0] & 0x80, bytes + head_length, length };
    return head_length + length;
}

static enum wire_end take_data(struct wire *wire, struct client *client, const struct frame *frame)
{
    bool goes_on = frame->opcode == 0;
    if (goes_on != wire->in_fragments) return WIRE_BROKEN;
    wire->in_fragments = !frame->final;
    if (!goes_on && frame->final) {
        client_message(client, frame->body, frame->length);
        return WIRE_ON;
    }
    if (wire->fragment_count + frame->length > LONGEST) return WIRE_BROKEN;
    wire->fragments = grown(wire->fragments, wire->fragment_count + frame->length + 1);
    memcpy(wire->fragments + wire->fragment_count, frame->body, frame->length);
    wire->fragment_count += frame->length;
    if (frame->final) {
        client_message(client, wire->fragments, wire->fragment_count);
        wire->fragment_count = 0;
    }
    return WIRE_ON;
}

/* Hands on the whole messages; *used: how many bytes they took. */
static enum wire_end take_websocket(struct wire *wire, struct client *client, char *bytes, size_t count, size_t *used)
{
    struct frame frame;
    ssize_t length;
    while (client->state < GONE && (length = read_frame(&frame, bytes + *used, count - *used))) {
        if (length < 0) return WIRE_BROKEN;
        *used += length;
        switch (frame.opcode) {
        case 0x0: case 0x1: case 0x2:
            if (take_data(wire, client, &frame) == WIRE_BROKEN) return WIRE_BROKEN;
            break;
        case 0x8:
            client_answer(client, 0x8, frame.body, frame.length < 2 ? 0 : 2);
            return WIRE_ENDED;
        case 0x9:
            tally.other++;
            client_answer(client, 0xa, frame.body, frame.length);
            break;
        case 0xa: break;
        default: return WIRE_BROKEN;
        }
    }
    return WIRE_ON;
}

static void hold(struct wire *wire, const char *bytes, size_t count)
{
    if (count > wire->held_room) {
        wire->held_room = count + count / 2;
        wire->held = grown(wire->held, wire->held_room);
    }
    memmove(wire->held, bytes, count);
    wire->held_count = count;
}

enum wire_end wire_take(struct wire *wire, struct client *client, char *bytes, size_t count)
{
    enum wire_end end = WIRE_ON;
    size_t used = 0;
    if (wire->chunked) count = dechunk(&wire->chunks, bytes, count);
    if (wire->held_count) { /* go on with what is not whole */
        size_t together = wire->held_count + count;
        if (together > wire->held_room) {
            wire->held_room = together + together / 2;
            wire->held = grown(wire->held, wire->held_room);
        }
        memcpy(wire->held + wire->held_count, bytes, count);
        bytes = wire->held;
        count = together;
    }
    if (options.protocol == SSE) used = take_sse(client, bytes, count);
    else end = take_websocket(wire, client, bytes, count, &used);
    if (client->state == GONE) return WIRE_ON; /* it was ended meanwhile, and this wire with it */
    if (wire->chunks.state == CHUNKS_BAD || count - used > LONGEST) return WIRE_BROKEN;
    if (wire->chunks.state == CHUNKS_DONE) return WIRE_ENDED;
    if (count > used) hold(wire, bytes + used, count - used);
    else wire->held_count = 0;
    return end;
}

void wire_forget(struct wire *wire)
{
    free(wire->held);
    free(wire->fragments);
    *wire = (struct wire){ 0 };
}

/* The value of a header in a head that ends with NUL, or NULL. */
const char *header_value(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (!strncasecmp(line + 2, name, length) && line[2 + length] == ':') {
            return line + 3 + length + strspn(line + 3 + length, " ");
        }
    }
    return NULL;
}
