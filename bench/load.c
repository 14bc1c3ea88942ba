// Clients: sends one HTTP request over and over on N connections and tells what they saw.
//
//   load plain|streams PORT CONNECTIONS SECONDS WARM < REQUEST
//
// plain: the connections are kept, a request follows its predecessor's answer. streams: an event stream to its end, which
// must come after a [DONE], then a new connection. Every 100 ms a line tells what is done so far (answers, or events of
// streams) and how many streams run; the last line is JSON, times in milliseconds. Where the request has NUMBER in it,
// each one sent has another. Times of plain calls that were asked in the first WARM seconds are left out: connections are
// opened then, and a server that has just started is still at it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 20000, REQUEST_MAX = 1 << 20, HEAD_MAX = 4096, TAIL = 32, EVENTS = 1024 };

#define NUMBER "#NUMBER#"

typedef struct {
    int fd;  // -1: to be opened at the next tick
    bool connecting, started;
    double asked, heard;
    char head[HEAD_MAX + 1];  // the answer's headers, as far as they have come
    int head_size;
    long left;  // bytes of the body still to come; -1: chunked or until [DONE]
    char tail[TAIL];
    int tail_size;
} client;

typedef struct {
    float *values;
    long size, room;
} series;

static client clients[MAX_CONNECTIONS];
static char request[REQUEST_MAX], buffer[1 << 16];
static size_t request_size;
static char *number;  // where in the request it stands
static bool streams;
static double warm_until;
static int poll, port;
static long done, finished, refused, broken;
static series first, gap, total;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void add(series *s, double seconds) {
    if (s->size == s->room) s->values = realloc(s->values, (s->room = s->room ? 2 * s->room : 1 << 16) * sizeof(float));
    s->values[s->size++] = seconds * 1e3;
}

static int by_size(const void *a, const void *b) {
    float x = *(float *)a, y = *(float *)b;
    return (x > y) - (x < y);
}

static void tell(const char *name, series *s) {
    qsort(s->values, s->size, sizeof(float), by_size);
    printf(", \"%s_p50\": %.2f, \"%s_p99\": %.2f", name, s->size ? s->values[s->size / 2] : 0, name,
           s->size ? s->values[(long)(0.99 * (s->size - 1))] : 0);
}

static void ask(client *c) {
    c->asked = now();
    c->head_size = c->tail_size = 0;
    c->started = false;
    if (number) {
        static long sent;
        if (!sent) sent = now() * 10000;  // no run begins where another one was
        char digits[32];
        snprintf(digits, sizeof digits, "%08ld", sent++ % 100000000);
        memcpy(number, digits, sizeof NUMBER - 1);
    }
    if (send(c->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
        broken++;
        close(c->fd);
        c->fd = -1;
    }
}

static void open_one(client *c) {
    int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->connecting = true;
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &interest);
    if (connect(c->fd, (void *)&address, sizeof address) && errno != EINPROGRESS) {
        broken++;
        close(c->fd);
        c->fd = -1;
    }
}

static void over(client *c, bool well) {
    if (well) {
        finished++;
        if (streams || c->asked >= warm_until) add(&total, now() - c->asked);
    } else {
        broken++;
    }
    if (well && !streams) {
        ask(c);
        return;
    }
    close(c->fd);
    c->fd = -1;
    if (well) open_one(c);
}

// Takes what belongs to the headers off the front of `text`; true once they are complete.
static bool headers(client *c, char **text, int *size) {
    if (c->head_size && strstr(c->head, "\r\n\r\n")) return true;
    int room = HEAD_MAX - c->head_size, taken = *size < room ? *size : room, before = c->head_size;
    memcpy(c->head + before, *text, taken);
    c->head[c->head_size += taken] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return false;
    int used = end + 4 - c->head - before;
    *text += used;
    *size -= used;
    c->head_size = end + 4 - c->head;
    c->head[c->head_size] = 0;
    char *length = strcasestr(c->head, "content-length:");
    c->left = length ? atol(length + 15) : -1;
    return true;
}

// Keeps the end of what was heard; true once it is the end of a chunked body.
static bool ended(client *c, const char *text, int size) {
    int kept = size < TAIL ? size : TAIL;
    if (c->tail_size + kept > TAIL) {
        memmove(c->tail, c->tail + c->tail_size + kept - TAIL, TAIL - kept);
        c->tail_size = TAIL - kept;
    }
    memcpy(c->tail + c->tail_size, text + size - kept, kept);
    c->tail_size += kept;
    return c->tail_size >= 5 && !memcmp(c->tail + c->tail_size - 5, "0\r\n\r\n", 5);
}

static void hear(client *c) {
    ssize_t received = recv(c->fd, buffer, sizeof buffer, 0);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) {
        over(c, false);
        return;
    }
    char *text = buffer;
    int size = received;
    if (!headers(c, &text, &size)) return;
    if (strncmp(c->head + 9, "200", 3)) {
        refused++;
        close(c->fd);
        c->fd = -1;
        return;
    }
    if (!streams) {
        bool last = c->left >= 0 ? (c->left -= size) <= 0 : ended(c, text, size);
        if (last) {
            done++;
            over(c, true);
        }
        return;
    }
    double instant = now();
    int events = 0;
    for (char *at = text; (at = memmem(at, text + size - at, "data:", 5)); at += 5) events++;
    if (events) {
        done += events;
        add(c->started ? &gap : &first, instant - (c->started ? c->heard : c->asked));
        c->started = true;
        c->heard = instant;
    }
    if (ended(c, text, size)) over(c, memmem(c->tail, c->tail_size, "[DONE]", 6));
}

int main(int argc, char **argv) {
    if (argc != 6 || atoi(argv[3]) < 1 || atoi(argv[3]) > MAX_CONNECTIONS) {
        fputs("usage: load plain|streams PORT CONNECTIONS SECONDS WARM < REQUEST\n", stderr);
        return 2;
    }
    streams = !strcmp(argv[1], "streams");
    port = atoi(argv[2]);
    int count = atoi(argv[3]);
    request_size = fread(request, 1, sizeof request, stdin);
    number = memmem(request, request_size, NUMBER, sizeof NUMBER - 1);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    poll = epoll_create1(0);
    for (int i = 0; i < count; i++) clients[i].fd = -1;

    struct epoll_event happened[EVENTS];
    double end = now() + atof(argv[4]), tick = 0;
    warm_until = now() + atof(argv[5]);
    while (now() < end) {
        if (now() >= tick) {
            tick = now() + 0.1;
            int running = 0;
            for (int i = 0; i < count; i++) {
                running += clients[i].fd >= 0 && !clients[i].connecting && clients[i].started;
                if (clients[i].fd < 0) open_one(&clients[i]);
            }
            printf("%ld %d\n", done, running);
            fflush(stdout);
        }
        int n = epoll_wait(poll, happened, EVENTS, 10);
        for (int i = 0; i < n; i++) {
            client *c = happened[i].data.ptr;
            if (c->fd < 0) continue;
            if (c->connecting && happened[i].events & EPOLLOUT) {
                struct epoll_event interest = {.events = EPOLLIN, .data.ptr = c};
                c->connecting = false;
                epoll_ctl(poll, EPOLL_CTL_MOD, c->fd, &interest);
                ask(c);
            } else if (happened[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
                hear(c);
            }
        }
    }
    printf("{\"done\": %ld, \"finished\": %ld, \"refused\": %ld, \"broken\": %ld", done, finished, refused, broken);
    tell("first", &first);
    tell("gap", &gap);
    tell("total", &total);
    puts("}");
}
