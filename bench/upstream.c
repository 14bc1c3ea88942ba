// A provider that costs next to nothing: plain chat answers at once, streams at a fixed pace.
//
//   upstream PORT CHUNKS INTERVAL_MS      listens on 127.0.0.1; a stream is CHUNKS content events, one every INTERVAL_MS
//
// One epoll loop, keep-alive, no pipelining. What it says has the shape and size of OpenAI's own answers, headers included.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 65536, REQUEST_MAX = 1 << 18, EVENTS = 512 };

typedef struct {
    char *request;
    int received;
    int left;    // content events still to send; -1 while no stream runs
    int place;   // where `streaming` holds this connection
    double due;  // when the next event is
} connection;

static connection *connections[MAX_FD];
static int streaming[MAX_FD], streams;
static char plain_answer[4096], stream_head[1024], first_event[1024], event[1024], last_events[2048];
static size_t plain_size;

#define HEADERS \
    "HTTP/1.1 200 OK\r\nserver: cloudflare\r\nx-request-id: req_0123456789abcdef\r\nopenai-version: 2020-10-01\r\n" \
    "openai-processing-ms: 120\r\nx-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
#define CHUNK(rest) \
    "data: {\"id\":\"chatcmpl-B9MBs\",\"object\":\"chat.completion.chunk\",\"created\":1741569952," \
    "\"model\":\"gpt-4.1-2025-04-14\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_1\"," rest "}\n\n"
#define USAGE(completion, total) \
    "{\"prompt_tokens\":19,\"completion_tokens\":" completion ",\"total_tokens\":" total "," \
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":" \
    "{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}"

static const char *COMPLETION =
    "{\"id\":\"chatcmpl-B9MBs\",\"object\":\"chat.completion\",\"created\":1741569952,\"model\":\"gpt-4.1-2025-04-14\","
    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"A gateway gives a team one address and one "
    "set of keys for many providers. It retries what failed, falls back to another provider, keeps within limits and tells "
    "what was used.\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
    "\"usage\":" USAGE("35", "54") ",\"service_tier\":\"default\"}";

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void as_chunk(char *into, const char *payload) {
    sprintf(into + strlen(into), "%zx\r\n%s\r\n", strlen(payload), payload);
}

static void prepare(void) {
    plain_size = sprintf(plain_answer, HEADERS "content-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                         strlen(COMPLETION), COMPLETION);
    strcpy(stream_head, HEADERS "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n");
    as_chunk(first_event, CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"
                                "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null"));
    as_chunk(event, CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"content\":\" gateway\"},\"logprobs\":null,"
                          "\"finish_reason\":null}],\"usage\":null"));
    as_chunk(last_events, CHUNK("\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                                "\"usage\":null"));
    as_chunk(last_events, CHUNK("\"choices\":[],\"usage\":" USAGE("100", "119")));
    as_chunk(last_events, "data: [DONE]\n\n");
    strcat(last_events, "0\r\n\r\n");
}

static void end_stream(int fd) {
    int place = connections[fd]->place;
    streaming[place] = streaming[--streams];
    connections[streaming[place]]->place = place;
    connections[fd]->left = -1;
}

static void hang_up(int fd) {
    if (connections[fd]->left >= 0) end_stream(fd);
    free(connections[fd]->request);
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

// The kernel's buffer holds a whole stream; if it is full all the same, cutting the stream would blame the server measured.
static void say(int fd, const char *text, size_t size) {
    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        fputs("upstream: a reader is too slow for the socket's buffer\n", stderr);
        exit(1);
    }
}

static void welcome(int listener, int poll) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connections[fd] = calloc(1, sizeof(connection));
        connections[fd]->request = malloc(REQUEST_MAX);
        connections[fd]->left = -1;
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &interest);
    }
}

static void listen_to(int fd, int chunks) {
    connection *c = connections[fd];
    ssize_t n = recv(fd, c->request + c->received, REQUEST_MAX - 1 - c->received, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        hang_up(fd);
        return;
    }
    if (n < 0) return;
    c->received += n;
    c->request[c->received] = 0;
    char *body = strstr(c->request, "\r\n\r\n");
    if (!body) return;
    char *length = strcasestr(c->request, "content-length:");
    size_t size = length && length < body ? strtoul(length + 15, NULL, 10) : 0;
    body += 4;
    if ((size_t)c->received < body - c->request + size) return;
    c->received = 0;
    if (!memmem(body, size, "\"stream\":true", 13) && !memmem(body, size, "\"stream\": true", 14)) {
        say(fd, plain_answer, plain_size);
        return;
    }
    say(fd, stream_head, strlen(stream_head));
    c->left = chunks;
    c->due = now();
    c->place = streams;
    streaming[streams++] = fd;
}

static void pace(int chunks, double interval) {
    double instant = now();
    for (int i = streams - 1; i >= 0; i--) {  // backwards: end_stream moves the last one, already seen, to the gap
        int fd = streaming[i];
        connection *c = connections[fd];
        if (c->due > instant) continue;
        c->due += interval;
        if (c->left == 0) {
            end_stream(fd);
            say(fd, last_events, strlen(last_events));
            continue;
        }
        const char *text = c->left == chunks ? first_event : event;
        c->left--;
        say(fd, text, strlen(text));
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: upstream PORT CHUNKS INTERVAL_MS\n", stderr);
        return 2;
    }
    int chunks = atoi(argv[2]), yes = 1;
    double interval = atof(argv[3]) / 1e3;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    prepare();

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 8192)) {
        perror("upstream");
        return 1;
    }
    int poll = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener}, happened[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &interest);
    for (double paced = 0;;) {
        int n = epoll_wait(poll, happened, EVENTS, streams ? 2 : -1);
        for (int i = 0; i < n; i++) {
            if (happened[i].data.fd == listener) welcome(listener, poll);
            else if (connections[happened[i].data.fd]) listen_to(happened[i].data.fd, chunks);
        }
        if (streams && now() - paced >= 0.001) {
            paced = now();
            pace(chunks, interval);
        }
    }
}
