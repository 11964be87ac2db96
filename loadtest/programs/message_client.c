// An open-loop HTTP/2 client of single messages: each is due at a time laid down beforehand, sent
// then or as soon as the client can, and its latency counts from when it was due. What the far side
// holds up holds up no later message.
//
//   message_client PORT CONNECTIONS RATE SECONDS BODIES PATH [CAMPAIGN_SHARE]
//
// BODIES: a file with one request body a line, used from the top and again. Arrivals are Poisson at
// RATE per second; CAMPAIGN_SHARE of them (0 to 1) come in bursts of 200 within some 20 ms. The
// first second warms up and is not counted. Prints one line of JSON; latencies in microseconds.
#define _GNU_SOURCE
#include <math.h>

#include "h2_connection.h"

enum { bucket_count = 1 << 20, answer_size = 1024 };

struct message {
  const char *body;
  size_t count, sent;
  long long due;
  int status;
  size_t used;
  char answer[answer_size];
  struct message *next;
};

static char **bodies;
static size_t *counts, body_total, body_next;
static char authority[64], *path;
static long sent_total, done_total, good, undecided, errors, stage_cache, stage_linear,
    stage_accelerator, stage_shared;
static long buckets[bucket_count]; // latencies by microsecond
static long long counted_from;
static struct message *spare;
static uint64_t random_state = 88172645463325252ULL;

static double unit(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (double)(random_state >> 11) * 0x1p-53;
}

static ssize_t read_body(
    nghttp2_session *session, int32_t id, uint8_t *to, size_t length, uint32_t *flags,
    nghttp2_data_source *source, void *user) {
  (void)session, (void)id, (void)user;
  struct message *m = source->ptr;
  size_t count = m->count - m->sent < length ? m->count - m->sent : length;
  memcpy(to, m->body + m->sent, count);
  m->sent += count;
  if (m->sent == m->count) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)count;
}

static void submit(struct connection *c, long long due) {
  struct message *m = spare;
  if (m) {
    spare = m->next;
  } else {
    m = malloc(sizeof *m);
  }
  m->body = bodies[body_next];
  m->count = counts[body_next];
  body_next = (body_next + 1) % body_total;
  m->sent = m->used = 0;
  m->status = 0;
  m->due = due;
  char length[24];
  snprintf(length, sizeof length, "%zu", m->count);
  nghttp2_nv fields[] = {
      FIELD(":method", "POST"), FIELD(":scheme", "http"), FIELD(":authority", authority),
      FIELD(":path", path), FIELD("content-type", "application/json"),
      FIELD("content-length", length)};
  nghttp2_data_provider provider = {.source.ptr = m, .read_callback = read_body};
  sent_total++;
  if (nghttp2_submit_request(c->session, NULL, fields, 6, &provider, m) < 0) errors++;
  c->is_dirty = 1;
}

static int on_data(
    nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t count,
    void *user) {
  (void)flags, (void)user;
  struct message *m = nghttp2_session_get_stream_user_data(session, id);
  if (!m) return 0;
  size_t room = answer_size - 1 - m->used;
  memcpy(m->answer + m->used, data, count < room ? count : room);
  m->used += count < room ? count : room;
  return 0;
}

static int on_header(
    nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_count,
    const uint8_t *value, size_t value_count, uint8_t flags, void *user) {
  (void)flags, (void)user;
  struct message *m = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (m && name_count == 7 && value_count == 3 && memcmp(name, ":status", 7) == 0)
    m->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0';
  return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user) {
  (void)user;
  struct message *m = nghttp2_session_get_stream_user_data(session, id);
  if (!m) return 0;
  done_total++;
  m->answer[m->used] = 0;
  if (code != 0 || m->status != 200 || !strstr(m->answer, "\"label\":")) {
    errors++;
  } else if (m->due >= counted_from) {
    good++;
    if (strstr(m->answer, "\"undecided\"")) undecided++;
    if (strstr(m->answer, "\"stage\":\"cache\"")) stage_cache++;
    if (strstr(m->answer, "\"stage\":\"linear\"")) stage_linear++;
    if (strstr(m->answer, "\"stage\":\"accelerator\"")) stage_accelerator++;
    if (strstr(m->answer, "\"stage\":\"shared\"")) stage_shared++;
    long long delay = (now_ns() - m->due) / 1000;
    buckets[delay < 0 ? 0 : delay < bucket_count ? delay : bucket_count - 1]++;
  }
  m->next = spare;
  spare = m;
  return 0;
}

static void read_bodies(const char *name) {
  FILE *file = fopen(name, "rb");
  if (!file) exit(2);
  size_t room = 0, capacity = 0;
  char *line = NULL;
  ssize_t count;
  while ((count = getline(&line, &room, file)) > 0) {
    if (body_total == capacity) {
      capacity = capacity ? capacity * 2 : 1024;
      bodies = realloc(bodies, capacity * sizeof *bodies);
      counts = realloc(counts, capacity * sizeof *counts);
    }
    if (line[count - 1] == '\n') count--;
    bodies[body_total] = memcpy(malloc((size_t)count), line, (size_t)count);
    counts[body_total++] = (size_t)count;
  }
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  int port = atoi(argv[1]), width = atoi(argv[2]);
  double rate = atof(argv[3]), seconds = atof(argv[4]);
  read_bodies(argv[5]);
  path = argv[6];
  double campaigns = argc > 7 ? atof(argv[7]) : 0;
  snprintf(authority, sizeof authority, "127.0.0.1:%d", port);
  int poller = epoll_create1(0);
  struct connection *all = calloc((size_t)width, sizeof *all);
  for (int i = 0; i < width; i++) {
    dial(&all[i], port);
    begin_session(&all[i], poller, on_data, on_header, on_close);
  }
  for (int i = 0; i < width; i++) flush(&all[i]);
  usleep(200000);
  long long began = now_ns(), end = began + (long long)(seconds * 1e9);
  counted_from = began + 1000000000LL;
  // Two streams of arrivals: messages on their own, and those of campaigns.
  double alone = rate * (1 - campaigns), bursts = rate * campaigns / 200;
  double next_alone = (double)began - (alone > 0 ? log(1 - unit()) / alone * 1e9 : -1e18);
  double next_burst = (double)began - (bursts > 0 ? log(1 - unit()) / bursts * 1e9 : -1e18);
  double in_burst = 1e18;
  int burst_left = 0, turn = 0;
  struct epoll_event ready[256];
  while (1) {
    long long now = now_ns();
    while (now < end + 1) {
      double due = next_alone < in_burst ? next_alone : in_burst;
      if (next_burst < due) due = next_burst;
      if (due > (double)now || due > (double)end) break;
      if (due == next_burst) {
        in_burst = burst_left > 0 ? in_burst : due;
        burst_left += 200;
        next_burst -= log(1 - unit()) / bursts * 1e9;
        continue;
      }
      if (due == in_burst) {
        in_burst = --burst_left > 0 ? due + 1e5 : 1e18;
      } else {
        next_alone -= log(1 - unit()) / alone * 1e9;
      }
      submit(&all[turn], (long long)due);
      turn = (turn + 1) % width;
    }
    for (int i = 0; i < width; i++)
      if (all[i].is_dirty) flush(&all[i]);
    if (now > end && done_total >= sent_total) break;
    if (now > end + 10000000000LL) break;
    struct timespec wait = {0, 200000};
    int count = epoll_pwait2(poller, ready, 256, &wait, NULL);
    for (int i = 0; i < count; i++) {
      struct connection *c = ready[i].data.ptr;
      if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(c)) {
        fprintf(stderr, "a connection ended\n");
        exit(1);
      }
      flush(c);
    }
  }
  errors += sent_total - done_total;
  printf(
      "{\"sent\": %ld, \"counted\": %ld, \"errors\": %ld, \"undecided\": %ld, \"cache\": %ld, "
      "\"linear\": %ld, \"accelerator\": %ld, \"shared\": %ld, \"seconds\": %.3f, \"p50\": %ld, \"p90\": %ld, "
      "\"p99\": %ld, \"p999\": %ld}\n",
      sent_total, good, errors, undecided, stage_cache, stage_linear, stage_accelerator,
      stage_shared, (double)(now_ns() - began) / 1e9,
      percentile(buckets, bucket_count, good, 0.5),
      percentile(buckets, bucket_count, good, 0.9),
      percentile(buckets, bucket_count, good, 0.99),
      percentile(buckets, bucket_count, good, 0.999));
  return 0;
}
