// A model server that costs next to nothing: HTTP/1.1 keep-alive, one epoll thread, answers of
// the size and shape that vLLM gives. What is measured in front of it is the proxy.
//
//   model_server PORT [PACE_MICROSECONDS]
//
// POST with "stream":true: 64 server-sent events of about 200 bytes, at once, or one each
// PACE_MICROSECONDS with the streams spread over the interval; a body with "pace-N" in it asks for
// N microseconds instead. Other POSTs: a chat completion of about 300 bytes with its usage. GET:
// 200, and on /metrics a page.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { events_per_stream = 64, slot_count = 4096, slot_ns = 50000, input_size = 256 << 10 };

struct connection {
  int fd;
  size_t used;
  char *input;
  int streaming, wants_usage, left;
  long long pace_ns;       // between two events of its stream; 0: all at once
  struct connection *next; // in its slot of the wheel
  char *output;            // what the socket did not take
  size_t output_start, output_end, output_size;
};

static struct connection *wheel[slot_count];
static long long wheel_time; // start of the slot that comes next
static long pending;
static long long default_pace_ns;
static int poller;
static unsigned seed = 1;

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void finish(struct connection *c) {
  close(c->fd);
  c->fd = -1;
  if (c->left > 0 && c->pace_ns > 0) return; // the wheel still names it
  free(c->input);
  free(c->output);
  free(c);
}

static void deliver(struct connection *c, const char *bytes, size_t count) {
  if (c->fd < 0) return;
  if (c->output_end == c->output_start) {
    ssize_t sent = send(c->fd, bytes, count, MSG_NOSIGNAL);
    if (sent == (ssize_t)count) return;
    if (sent < 0 && errno != EAGAIN) return;
    if (sent > 0) bytes += sent, count -= (size_t)sent;
    c->output_start = c->output_end = 0;
  }
  if (c->output_end + count > c->output_size) {
    c->output_size = (c->output_end + count) * 2;
    c->output = realloc(c->output, c->output_size);
  }
  memcpy(c->output + c->output_end, bytes, count);
  c->output_end += count;
}

static void flush(struct connection *c) {
  while (c->output_end > c->output_start) {
    ssize_t sent = send(
        c->fd, c->output + c->output_start, c->output_end - c->output_start, MSG_NOSIGNAL);
    if (sent <= 0) return;
    c->output_start += (size_t)sent;
  }
}

// One event with the moment it was sent, in HTTP/1.1's chunked coding.
static size_t write_event(char *to) {
  char event[512];
  int count = snprintf(
      event, sizeof event,
      "data: {\"id\":\"chatcmpl-7d2f0c1e9a8b4f6d\",\"object\":\"chat.completion.chunk\","
      "\"created\":1767225600,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{"
      "\"content\":\" token\"},\"finish_reason\":null}],\"t\":\"%020lld\"}\n\n",
      now_ns());
  return (size_t)sprintf(to, "%x\r\n%s\r\n", count, event);
}

static size_t write_end(char *to, int wants_usage) {
  static const char last[] =
      "data: {\"id\":\"chatcmpl-7d2f0c1e9a8b4f6d\",\"object\":\"chat.completion.chunk\","
      "\"created\":1767225600,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},"
      "\"finish_reason\":\"stop\"}]}\n\n";
  static const char usage[] =
      "data: {\"id\":\"chatcmpl-7d2f0c1e9a8b4f6d\",\"object\":\"chat.completion.chunk\","
      "\"created\":1767225600,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":40,"
      "\"completion_tokens\":64,\"total_tokens\":104}}\n\n";
  static const char done[] = "data: [DONE]\n\n";
  const char *middle = wants_usage ? usage : "";
  size_t count = strlen(last) + strlen(middle) + strlen(done);
  return (size_t)sprintf(to, "%zx\r\n%s%s%s\r\n0\r\n\r\n", count, last, middle, done);
}

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: uvicorn\r\n"
    "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";

static void schedule(struct connection *c, long long at) {
  long long slots = (at - wheel_time) / slot_ns;
  if (slots < 0) slots = 0;
  if (slots >= slot_count) slots = slot_count - 1;
  struct connection **head = &wheel[(wheel_time / slot_ns + slots) % slot_count];
  c->next = *head;
  *head = c;
  pending++;
}

static void begin_stream(struct connection *c) {
  static char text[events_per_stream * 400 + 2048];
  memcpy(text, stream_head, sizeof stream_head - 1);
  size_t count = sizeof stream_head - 1;
  if (c->pace_ns > 0) {
    c->left = events_per_stream;
    deliver(c, text, count);
    if (pending == 0) wheel_time = now_ns() / slot_ns * slot_ns;
    schedule(c, now_ns() + (long long)((double)rand_r(&seed) / RAND_MAX * (double)c->pace_ns));
    return;
  }
  for (int i = 0; i < events_per_stream; i++) count += write_event(text + count);
  count += write_end(text + count, c->wants_usage);
  deliver(c, text, count);
}

static void respond(struct connection *c, const char *head, int is_post) {
  static char text[1024];
  if (c->streaming) {
    begin_stream(c);
    return;
  }
  static const char completion[] =
      "{\"id\":\"chatcmpl-7d2f0c1e9a8b4f6d\",\"object\":\"chat.completion\","
      "\"created\":1767225600,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
      "\"assistant\",\"content\":\"The quick brown fox jumps over the lazy dog.\"},"
      "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":40,\"completion_tokens\":10,"
      "\"total_tokens\":50}}";
  static const char page[] =
      "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m\"} 0\n"
      "# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{model_name=\"m\"} 0\n";
  int is_page = strncmp(head, "GET /metrics", 12) == 0;
  const char *body = is_post ? completion : is_page ? page : "{}";
  int count = snprintf(
      text, sizeof text,
      "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: uvicorn\r\n"
      "content-length: %zu\r\ncontent-type: %s\r\n\r\n%s",
      strlen(body), is_page ? "text/plain; version=0.0.4" : "application/json", body);
  deliver(c, text, (size_t)count);
}

static size_t body_length(const char *head, const char *end) {
  for (const char *line = head; line < end; line++) {
    line = memchr(line, '\n', (size_t)(end - line));
    if (!line) return 0;
    if (strncasecmp(line + 1, "content-length:", 15) == 0) return strtoul(line + 16, NULL, 10);
  }
  return 0;
}

static int holds(const char *body, size_t count, const char *one, const char *other) {
  return memmem(body, count, one, strlen(one)) || memmem(body, count, other, strlen(other));
}

// What a streamed answer shall be like. Unary bodies, the large ones, are not searched for it.
static void read_wishes(struct connection *c, const char *body, size_t count) {
  c->wants_usage =
      holds(body, count, "\"include_usage\":true", "\"include_usage\": true");
  const char *pace = memmem(body, count, "pace-", 5);
  c->pace_ns = pace ? atoll(pace + 5) * 1000 : default_pace_ns;
}

// Takes one request out of what was read; 0 if it is not whole.
static int take_request(struct connection *c) {
  char *end = memmem(c->input, c->used, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t head = (size_t)(end - c->input) + 4;
  size_t body = body_length(c->input, end);
  if (head + body > input_size - 1) exit(3);
  if (c->used < head + body) return 0;
  c->streaming = holds(c->input + head, body, "\"stream\":true", "\"stream\": true");
  if (c->streaming) read_wishes(c, c->input + head, body);
  respond(c, c->input, c->input[0] == 'P');
  memmove(c->input, c->input + head + body, c->used - head - body);
  c->used -= head + body;
  return 1;
}

static void ready(struct connection *c, uint32_t events) {
  if (events & EPOLLOUT) flush(c);
  while (1) {
    size_t room = input_size - c->used;
    ssize_t count = recv(c->fd, c->input + c->used, room, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
      finish(c);
      return;
    }
    if (count < 0) return;
    c->used += (size_t)count;
    while (c->used > 0 && take_request(c)) {}
    if ((size_t)count < room) return;
  }
}

static void turn_wheel(void) {
  static char text[1024];
  long long now = now_ns();
  while (pending > 0 && wheel_time + slot_ns <= now) {
    struct connection *c = wheel[wheel_time / slot_ns % slot_count];
    wheel[wheel_time / slot_ns % slot_count] = NULL;
    wheel_time += slot_ns;
    while (c) {
      struct connection *next = c->next;
      pending--;
      if (c->fd < 0) {
        c->left = 0;
        free(c->input);
        free(c->output);
        free(c);
      } else if (c->left > 0) {
        size_t count = write_event(text);
        c->left--;
        if (c->left == 0) count += write_end(text + count, c->wants_usage);
        deliver(c, text, count);
        if (c->left > 0) schedule(c, wheel_time - slot_ns + c->pace_ns);
      }
      c = next;
    }
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc > 2) default_pace_ns = atoll(argv[2]) * 1000;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
    return perror("listen"), 1;
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  struct epoll_event events[512];
  while (1) {
    struct timespec wait = {0, slot_ns};
    int count = epoll_pwait2(poller, events, 512, pending > 0 ? &wait : NULL, NULL);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr) {
        ready(events[i].data.ptr, events[i].events);
        continue;
      }
      int fd;
      while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->input = malloc(input_size);
        struct epoll_event watch = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &watch);
      }
    }
    turn_wheel();
  }
}
