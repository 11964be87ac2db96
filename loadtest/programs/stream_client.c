// An HTTP/2 client that keeps streams of server-sent events open and counts what arrives.
//
//   stream_client [tls:]PORT CONNECTIONS STREAMS SECONDS BODY_FILE [CANCEL_AFTER [TOTAL]]
//
// With tls: TLS 1.3, AES-128-GCM, any certificate. Each of CONNECTIONS keeps STREAMS open and replaces those that end, for SECONDS. With
// CANCEL_AFTER > 0 a stream is reset once so many events have come. With TOTAL the client ends
// when so many streams are over. Prints one line of JSON; delays are from the model server's
// write of an event to its arrival here, in microseconds. "open": streams that are open at the end
// and have had an event.
#define _GNU_SOURCE
#include <openssl/ssl.h>

#include "h2_connection.h"

enum { line_size = 768, bucket_count = 200000 };

struct stream {
  char line[line_size];
  size_t used, sent;
  long events;
  int is_done, is_cancelled, has_failed;
};

static char *body, authority[64];
static size_t body_count;
static long cancel_after, total_wanted;
static long streams, events, errors, cancelled, running, heard;
static SSL_CTX *tls_context; // null: cleartext
static long buckets[bucket_count]; // delays by microsecond
static int is_over;

static ssize_t read_body(
    nghttp2_session *session, int32_t id, uint8_t *to, size_t length, uint32_t *flags,
    nghttp2_data_source *source, void *user) {
  (void)session, (void)id, (void)user;
  struct stream *s = source->ptr;
  size_t count = body_count - s->sent < length ? body_count - s->sent : length;
  memcpy(to, body + s->sent, count);
  s->sent += count;
  if (s->sent == body_count) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)count;
}

static void open_stream(nghttp2_session *session) {
  if (is_over || (total_wanted > 0 && streams + running >= total_wanted)) return;
  char length[24];
  snprintf(length, sizeof length, "%zu", body_count);
  nghttp2_nv fields[] = {
      FIELD(":method", "POST"), FIELD(":scheme", tls_context ? "https" : "http"),
      FIELD(":authority", authority),
      FIELD(":path", "/v1/chat/completions"), FIELD("user-agent", "stream_client"),
      FIELD("content-type", "application/json"), FIELD("content-length", length)};
  struct stream *s = calloc(1, sizeof *s);
  nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_body};
  if (nghttp2_submit_request(session, NULL, fields, 7, &provider, s) < 0) {
    free(s);
    errors++;
    return;
  }
  running++;
}

static void take_line(struct stream *s) {
  if (s->used < 6 || memcmp(s->line, "data: ", 6) != 0) return;
  if (s->used == 12 && memcmp(s->line + 6, "[DONE]", 6) == 0) {
    s->is_done = 1;
    return;
  }
  s->line[s->used] = 0;
  char *stamp = strstr(s->line, "\"t\":\"");
  if (!stamp) return;
  events++;
  if (s->events++ == 0) heard++;
  long long delay = (now_ns() - atoll(stamp + 5)) / 1000;
  if (delay < 0) delay = 0;
  buckets[delay < bucket_count ? delay : bucket_count - 1]++;
}

static int on_data(
    nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t count,
    void *user) {
  (void)flags, (void)user;
  struct stream *s = nghttp2_session_get_stream_user_data(session, id);
  if (!s || s->is_cancelled) return 0;
  while (count > 0) {
    const uint8_t *end = memchr(data, '\n', count);
    size_t part = end ? (size_t)(end - data) : count;
    size_t room = line_size - 1 - s->used;
    memcpy(s->line + s->used, data, part < room ? part : room);
    s->used += part < room ? part : room;
    if (!end) break;
    take_line(s);
    s->used = 0;
    data += part + 1;
    count -= part + 1;
  }
  if (cancel_after > 0 && s->events >= cancel_after) {
    s->is_cancelled = 1;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
  return 0;
}

static int on_header(
    nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_count,
    const uint8_t *value, size_t value_count, uint8_t flags, void *user) {
  (void)flags, (void)user;
  struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (s && name_count == 7 && memcmp(name, ":status", 7) == 0)
    s->has_failed = value_count != 3 || memcmp(value, "200", 3) != 0;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user) {
  (void)user, (void)code;
  struct stream *s = nghttp2_session_get_stream_user_data(session, id);
  if (!s) return 0;
  running--;
  streams++;
  if (s->events > 0) heard--;
  if (s->is_cancelled) {
    cancelled++;
  } else if (!s->is_done || s->has_failed) {
    errors++;
  }
  free(s);
  open_stream(session);
  return 0;
}

static ssize_t tls_send(struct connection *c, const char *bytes, size_t count) {
  int sent = SSL_write(c->tls, bytes, (int)count);
  return sent > 0 ? sent : -1;
}

static ssize_t tls_receive(struct connection *c, void *to, size_t room) {
  int count = SSL_read(c->tls, to, (int)room);
  if (count > 0) return count;
  int reason = SSL_get_error(c->tls, count);
  if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) return 0;
  errno = EAGAIN;
  return -1;
}

static void start_tls(struct connection *c) {
  c->tls = SSL_new(tls_context);
  SSL_set_fd(c->tls, c->fd);
  if (SSL_connect(c->tls) != 1) {
    fprintf(stderr, "handshake failed\n");
    exit(1);
  }
}

static void prepare_tls(void) {
  send_some = tls_send;
  receive_some = tls_receive;
  tls_context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(tls_context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(tls_context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_alpn_protos(tls_context, (const unsigned char *)"\x02h2", 3);
  SSL_CTX_set_mode(
      tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int has_tls = strncmp(argv[1], "tls:", 4) == 0;
  if (has_tls) prepare_tls();
  int port = atoi(argv[1] + (has_tls ? 4 : 0)), width = atoi(argv[2]), depth = atoi(argv[3]);
  double seconds = atof(argv[4]);
  FILE *file = fopen(argv[5], "rb");
  if (!file) return 2;
  body = malloc(1 << 24);
  body_count = fread(body, 1, 1 << 24, file);
  cancel_after = argc > 6 ? atol(argv[6]) : 0;
  total_wanted = argc > 7 ? atol(argv[7]) : 0;
  snprintf(authority, sizeof authority, "127.0.0.1:%d", port);
  int poller = epoll_create1(0);
  struct connection *all = calloc((size_t)width, sizeof *all);
  long long began = now_ns(), end = began + (long long)(seconds * 1e9);
  for (int i = 0; i < width; i++) {
    dial(&all[i], port);
    if (tls_context) start_tls(&all[i]);
    begin_session(&all[i], poller, on_data, on_header, on_close);
    for (int k = 0; k < depth; k++) open_stream(all[i].session);
  }
  for (int i = 0; i < width; i++) flush(&all[i]);
  struct epoll_event ready[256];
  while (!is_over && now_ns() < end && (total_wanted == 0 || streams < total_wanted)) {
    int count = epoll_wait(poller, ready, 256, 100);
    for (int i = 0; i < count; i++) {
      struct connection *c = ready[i].data.ptr;
      if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(c)) {
        errors++;
        is_over = 1;
      }
      flush(c);
    }
  }
  printf(
      "{\"streams\": %ld, \"events\": %ld, \"errors\": %ld, \"cancelled\": %ld, "
      "\"open\": %ld, \"seconds\": %.3f, \"p50\": %ld, \"p99\": %ld}\n",
      streams, events, errors, cancelled, heard, (double)(now_ns() - began) / 1e9,
      percentile(buckets, bucket_count, events, 0.5),
      percentile(buckets, bucket_count, events, 0.99));
  return 0;
}
