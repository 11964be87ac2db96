// Emulated classifier cards that cost next to nothing: one process, one port for each card, vLLM's
// /classify over HTTP/1.1.
//
//   classifier FIRST_PORT CARDS TIME_FACTOR BATCH:SECONDS:WATTS...
//
// A card computes one pass at a time: of the requests that wait it takes as many whole ones as fit
// into its largest batch, and the pass takes the time and the power of the smallest batch of the
// table that holds them. TIME_FACTOR scales the times. A text with "poison" in it is refused. GET
// /state: passes, messages, and the joules of all passes, at TIME_FACTOR 1.
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

enum { most_cards = 256, most_knots = 32, input_size = 1 << 20, most_waiting = 8192 };

struct connection {
  int fd, card, is_listener, items, is_waiting, is_closed;
  size_t used;
  char *input;
};

struct card {
  struct connection *waiting[most_waiting], *running[most_waiting];
  int waiting_count, running_count;
  long long ends; // 0: idle
};

static struct card cards[most_cards];
static int card_count, knot_count, poller;
static struct { int batch; double seconds, watts; } knots[most_knots];
static double factor, joules, busy_seconds;
static long passes, messages, padded;
static char *output;
static size_t output_size = 1 << 20;

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int largest(void) { return knots[knot_count - 1].batch; }

static void write_all(struct connection *c, const char *bytes, size_t count) {
  while (count > 0 && !c->is_closed) {
    ssize_t sent = send(c->fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      usleep(20);
      continue;
    }
    if (sent <= 0) return;
    bytes += sent;
    count -= (size_t)sent;
  }
}

static void answer(struct connection *c, int status, const char *body, size_t count) {
  char head[160];
  int length = snprintf(
      head, sizeof head,
      "HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", status,
      count);
  write_all(c, head, (size_t)length);
  write_all(c, body, count);
}

static void answer_verdicts(struct connection *c) {
  size_t need = (size_t)c->items * 96 + 512;
  if (need + 256 > output_size) output = realloc(output, output_size = need * 2);
  char *to = output + 256;
  to += sprintf(to, "{\"id\":\"classify-1\",\"object\":\"list\",\"created\":1,\"model\":\"m\",\"data\":[");
  for (int i = 0; i < c->items; i++)
    to += sprintf(
        to, "%s{\"index\":%d,\"label\":\"ham\",\"probs\":[0.924142,0.075858],\"num_classes\":2}",
        i ? "," : "", i);
  to += sprintf(
      to, "],\"usage\":{\"prompt_tokens\":%d,\"total_tokens\":%d,\"completion_tokens\":0}}",
      c->items * 24, c->items * 24);
  size_t body = (size_t)(to - output - 256);
  char head[160];
  int length = snprintf(
      head, sizeof head,
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", body);
  memcpy(output + 256 - length, head, (size_t)length);
  write_all(c, output + 256 - length, (size_t)length + body);
}

static void start_pass(struct card *card, long long now) {
  if (card->ends || card->waiting_count == 0) return;
  int items = 0, taken = 0;
  while (taken < card->waiting_count &&
         (taken == 0 || items + card->waiting[taken]->items <= largest()))
    items += card->waiting[taken++]->items;
  memcpy(card->running, card->waiting, (size_t)taken * sizeof *card->running);
  memmove(
      card->waiting, card->waiting + taken,
      (size_t)(card->waiting_count - taken) * sizeof *card->waiting);
  card->running_count = taken;
  card->waiting_count -= taken;
  double seconds = 0;
  for (int left = items; left > 0; left -= largest()) {
    int k = 0;
    while (k < knot_count - 1 && knots[k].batch < left) k++;
    seconds += knots[k].seconds;
    joules += knots[k].seconds * knots[k].watts;
    padded += knots[k].batch;
    passes++;
  }
  busy_seconds += seconds;
  messages += items;
  card->ends = now + (long long)(seconds * factor * 1e9);
}

static void end_pass(struct card *card) {
  card->ends = 0;
  for (int i = 0; i < card->running_count; i++) {
    struct connection *c = card->running[i];
    c->is_waiting = 0;
    if (c->is_closed) {
      free(c->input);
      free(c);
    } else {
      answer_verdicts(c);
    }
  }
  card->running_count = 0;
}

// Strings in the array behind "input", or one string.
static int count_items(const char *body, size_t count) {
  const char *at = memmem(body, count, "\"input\":", 8);
  if (!at) return 0;
  const char *end = body + count;
  at += 8;
  while (at < end && *at == ' ') at++;
  int items = 0, is_list = at < end && *at == '[';
  while (at < end && *at != ']') {
    if (*at == '"') {
      items++;
      for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
      if (!is_list) break;
    }
    at++;
  }
  return items;
}

static void request(struct connection *c, const char *head, const char *body, size_t count) {
  if (memcmp(head, "GET /state", 10) == 0) {
    char page[256];
    int length = snprintf(
        page, sizeof page,
        "{\"passes\": %ld, \"messages\": %ld, \"padded\": %ld, \"joules\": %.6f, "
        "\"busy_seconds\": %.6f}", passes, messages, padded, joules, busy_seconds);
    answer(c, 200, page, (size_t)length);
    return;
  }
  if (memcmp(head, "GET", 3) == 0) {
    answer(c, 200, "ok\n", 3);
    return;
  }
  if (memmem(body, count, "poison", 6)) {
    static const char refusal[] = "{\"error\":{\"message\":\"poison\",\"type\":\"BadRequestError\"}}";
    answer(c, 400, refusal, sizeof refusal - 1);
    return;
  }
  struct card *card = &cards[c->card];
  c->items = count_items(body, count);
  if (card->waiting_count == most_waiting) {
    answer(c, 503, "{}", 2);
    return;
  }
  c->is_waiting = 1;
  card->waiting[card->waiting_count++] = c;
  start_pass(card, now_ns());
}

static void take(struct connection *c) {
  while (!c->is_waiting) {
    char *end = memmem(c->input, c->used, "\r\n\r\n", 4);
    if (!end) return;
    size_t head = (size_t)(end - c->input) + 4, length = 0;
    *end = 0;
    char *field = strcasestr(c->input, "content-length:");
    if (field) length = strtoul(field + 15, NULL, 10);
    *end = '\r';
    if (c->used < head + length) return;
    request(c, c->input, c->input + head, length);
    memmove(c->input, c->input + head + length, c->used - head - length);
    c->used -= head + length;
  }
}

static void close_connection(struct connection *c) {
  close(c->fd);
  c->is_closed = 1;
  if (c->is_waiting) return; // its card names it
  free(c->input);
  free(c);
}

static void readable(struct connection *c) {
  while (1) {
    ssize_t count = recv(c->fd, c->input + c->used, input_size - c->used, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      close_connection(c);
      return;
    }
    c->used += (size_t)count;
    take(c);
  }
}

static void accept_all(struct connection *listener) {
  while (1) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->card = listener->card;
    c->input = malloc(input_size);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  signal(SIGPIPE, SIG_IGN);
  int port = atoi(argv[1]);
  card_count = atoi(argv[2]);
  factor = atof(argv[3]);
  if (card_count > most_cards || argc - 4 > most_knots) return 2;
  for (int i = 4; i < argc; i++, knot_count++)
    if (sscanf(
            argv[i], "%d:%lf:%lf", &knots[knot_count].batch, &knots[knot_count].seconds,
            &knots[knot_count].watts) != 3)
      return 2;
  poller = epoll_create1(0);
  output = malloc(output_size);
  for (int i = card_count - 1; i >= 0; i--) {
    struct connection *c = calloc(1, sizeof *c);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)(port + i))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    c->card = i;
    c->is_listener = 1;
    setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(c->fd, (struct sockaddr *)&address, sizeof address) || listen(c->fd, 1024)) {
      perror("listen");
      return 1;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
  }
  struct epoll_event ready[256];
  while (1) {
    long long now = now_ns(), next = now + 100000000LL;
    for (int i = 0; i < card_count; i++) {
      if (cards[i].ends && cards[i].ends <= now) {
        end_pass(&cards[i]);
        start_pass(&cards[i], now);
      }
      if (cards[i].ends && cards[i].ends < next) next = cards[i].ends;
    }
    long long span = next - now_ns();
    if (span < 0) span = 0;
    struct timespec wait = {span / 1000000000LL, span % 1000000000LL};
    int count = epoll_pwait2(poller, ready, 256, &wait, NULL);
    for (int i = 0; i < count; i++) {
      struct connection *c = ready[i].data.ptr;
      if (c->is_listener) {
        accept_all(c);
      } else {
        readable(c);
      }
    }
  }
}
