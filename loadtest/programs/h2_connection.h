// One HTTP/2 client connection over loopback, as the load programs use it: nghttp2 on a non-blocking
// socket, edge-triggered. For inclusion in one C file each.
#ifndef H2_CONNECTION_H
#define H2_CONNECTION_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { output_size = 4 << 20 };

struct connection {
  int fd;
  nghttp2_session *session;
  char *output;
  size_t start, end;
  int is_dirty; // something may wait to be sent
  void *tls;    // the program's; null: cleartext
};

#define FIELD(n, v) \
  { (uint8_t *)(n), (uint8_t *)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE }

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Both as of a socket: -1 with EAGAIN means not now. A program that speaks TLS puts its own here.
static ssize_t plain_send(struct connection *c, const char *bytes, size_t count) {
  return send(c->fd, bytes, count, MSG_NOSIGNAL);
}
static ssize_t plain_receive(struct connection *c, void *to, size_t room) {
  return recv(c->fd, to, room, 0);
}
static ssize_t (*send_some)(struct connection *, const char *, size_t) = plain_send;
static ssize_t (*receive_some)(struct connection *, void *, size_t) = plain_receive;

static void flush(struct connection *c) {
  c->is_dirty = 0;
  while (1) {
    while (c->end < output_size / 2) {
      const uint8_t *bytes;
      ssize_t count = nghttp2_session_mem_send(c->session, &bytes);
      if (count <= 0) break;
      memcpy(c->output + c->end, bytes, (size_t)count);
      c->end += (size_t)count;
    }
    if (c->start == c->end) return;
    ssize_t sent = send_some(c, c->output + c->start, c->end - c->start);
    if (sent <= 0) return;
    c->start += (size_t)sent;
    if (c->start == c->end) c->start = c->end = 0;
  }
}

// 0 if the connection has ended, well or badly.
static int receive(struct connection *c) {
  static uint8_t input[256 << 10];
  while (1) {
    ssize_t count = receive_some(c, input, sizeof input);
    if (count < 0 && errno == EAGAIN) return 1;
    if (count <= 0 || nghttp2_session_mem_recv(c->session, input, (size_t)count) < 0) return 0;
    c->is_dirty = 1;
    // A TLS connection gives one record at a time.
    if (!c->tls && (size_t)count < sizeof input) return 1;
  }
}

// Connects; the socket still blocks, so that a handshake may follow.
static void dial(struct connection *c, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) {
    perror("connect");
    exit(1);
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The session on a connection that was dialled.
static void begin_session(
    struct connection *c, int poller, nghttp2_on_data_chunk_recv_callback data,
    nghttp2_on_header_callback header, nghttp2_on_stream_close_callback close) {
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  c->output = malloc(output_size);
  nghttp2_session_callbacks *callbacks;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close);
  nghttp2_session_client_new(&c->session, callbacks, c);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
  nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, 1 << 28);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

// The value below which `share` of `total` counted ones lie, by buckets of one unit each.
static long percentile(const long *buckets, int bucket_count, long total, double share) {
  double rank = share * (double)total;
  long seen = 0;
  for (int i = 0; i < bucket_count; i++)
    if ((double)(seen += buckets[i]) >= rank) return i;
  return bucket_count;
}

#endif
