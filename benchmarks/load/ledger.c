/*
 * What each client should hear, and what it heard.
 *
 * Events are numbered from 0. Their audiences are taken in turn from a file whose lines are
 *
 *     AUDIENCE HEARERS
 *
 * with the hearers `*` (all clients), `-` (none) or a number: the clients with that line of the file
 * of tokens, counted from 0. So each client hears some of the lines, in every round of the file, and
 * its own events can be counted: its account knows which comes next. Without a file everybody hears
 * everything.
 */
#include <stdlib.h>
#include <string.h>

#include "load.h"

/* Which lines somebody hears, ascending. */
struct hearing {
    int count, *lines;
};

static char **audiences;
static int line_count = 1, hearing_count = 1;
static struct hearing *hearings;
static int *live;        /* by line: clients that are there and hear it */
static uint32_t *waiting; /* by event: clients that are there and do not have it yet */
static int64_t room;

struct ledger ledger;

static void hear(struct hearing *hearing, int line)
{
    hearing->lines = grown(hearing->lines, (hearing->count + 1) * sizeof *hearing->lines);
    hearing->lines[hearing->count++] = line;
}

static void read_audience(int line)
{
    char *hearers = strchr(audiences[line], ' ');
    if (!hearers) die("the audience %s has no hearers", audiences[line]);
    *hearers++ = 0;
    if (!strcmp(hearers, "-")) return;
    if (!strcmp(hearers, "*")) {
        for (int i = 0; i < hearing_count; i++) hear(&hearings[i], line);
        return;
    }
    int token = atoi(hearers);
    if (token < 0 || token >= hearing_count) die("there is no token %s", hearers);
    hear(&hearings[token], line);
}

void ledger_begin(const char *audiences_file, int token_count)
{
    if (audiences_file) {
        audiences = read_lines(audiences_file, &line_count);
        if (token_count) hearing_count = token_count;
    }
    hearings = grown(NULL, hearing_count * sizeof *hearings);
    memset(hearings, 0, hearing_count * sizeof *hearings);
    live = grown(NULL, line_count * sizeof *live);
    memset(live, 0, line_count * sizeof *live);
    if (!audiences) hear(&hearings[0], 0);
    else
        for (int line = 0; line < line_count; line++) read_audience(line);
}

/* How many of its lines come before this one. */
static int lines_before(const struct hearing *hearing, int line)
{
    int low = 0, high = hearing->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (hearing->lines[middle] < line) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* How many of the events before this one are for it. */
static int64_t own_before(const struct hearing *hearing, int64_t event)
{
    return event / line_count * hearing->count + lines_before(hearing, event % line_count);
}

/* The number among all events of its own one. */
static int64_t event_of(const struct hearing *hearing, int64_t own)
{
    return own / hearing->count * line_count + hearing->lines[own % hearing->count];
}

static void advance(void)
{
    while (ledger.completed < ledger.published && !waiting[ledger.completed]) ledger.completed++;
}

const char *ledger_publish(int64_t *event)
{
    int line = ledger.published % line_count;
    if (ledger.published == room) {
        room = room ? 2 * room : 4096;
        waiting = grown(waiting, room * sizeof *waiting);
    }
    waiting[ledger.published] = live[line];
    *event = ledger.published++;
    advance(); /* over one that nobody hears */
    return audiences ? audiences[line] : NULL;
}

/* Nobody waits any more for the account's own events from one up to, not with, another. */
static void pass(const struct hearing *hearing, int64_t from, int64_t to)
{
    for (int64_t own = from; own < to; own++) {
        int64_t event = event_of(hearing, own);
        if (event >= ledger.completed) waiting[event]--;
    }
    advance();
}

/* A client is there: for the first time, or again and with what it missed before it. */
void account_join(struct account *account, int client)
{
    if (!account->known) {
        account->hearing = &hearings[client % hearing_count];
        account->first = account->next = account_expected(account);
        account->known = true;
    }
    const struct hearing *hearing = account->hearing;
    account->live = true;
    for (int i = 0; i < hearing->count; i++) live[hearing->lines[i]]++;
    int64_t from = own_before(hearing, ledger.completed);
    if (from < account->next) from = account->next;
    for (int64_t own = from; own < account_expected(account); own++) waiting[event_of(hearing, own)]++;
}

void account_leave(struct account *account)
{
    if (!account->live) return;
    const struct hearing *hearing = account->hearing;
    account->live = false;
    for (int i = 0; i < hearing->count; i++) live[hearing->lines[i]]--;
    int64_t from = own_before(hearing, ledger.completed);
    pass(hearing, from < account->next ? account->next : from, account_expected(account));
}

/* How many events were published that are for it. */
int64_t account_expected(const struct account *account)
{
    return own_before(account->hearing, ledger.published);
}

/* How many of them it does not have, those left aside that are counted as missing. */
int64_t account_owed(const struct account *account)
{
    return account->known ? account_expected(account) - account->next : 0;
}

static uint64_t *word_of(struct account *account, int64_t own)
{
    return &account->heard[own % REMEMBERED / 64];
}

static enum verdict old_event(struct account *account, int64_t own)
{
    uint64_t bit = 1ULL << own % 64;
    /* One that is further behind than it remembers stays missing, and comes too late in any case. */
    bool remembered = account->next - own <= REMEMBERED;
    if (remembered && *word_of(account, own) & bit) {
        ledger.doubled++;
        return DOUBLED;
    }
    ledger.reordered++;
    if (remembered) {
        *word_of(account, own) |= bit;
        ledger.missing--;
        ledger.deliveries++;
    }
    return LATE;
}

enum verdict account_event(struct account *account, int64_t event)
{
    const struct hearing *hearing = account->hearing;
    bool published = account->live && event >= 0 && event < ledger.published;
    int64_t own = published ? own_before(hearing, event) : 0;
    if (!published || !hearing->count || event_of(hearing, own) != event || own < account->first) {
        ledger.foreign++;
        return FOREIGN;
    }
    if (own < account->next) return old_event(account, own);
    for (int64_t skipped = account->next; skipped < own; skipped++) {
        if (own - skipped < REMEMBERED) *word_of(account, skipped) &= ~(1ULL << skipped % 64);
    }
    ledger.missing += own - account->next;
    *word_of(account, own) |= 1ULL << own % 64;
    int64_t before = account->next;
    account->next = own + 1;
    pass(hearing, before, own + 1);
    ledger.deliveries++;
    return FRESH;
}
