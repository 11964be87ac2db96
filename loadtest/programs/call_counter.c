// Counts a process's socket calls without slowing it down as a tracer would: LD_PRELOAD this
// library and name a file in CALL_COUNTS. The file holds one 64-bit count per name below.
//
//   cc -O2 -shared -fPIC -o call_counter.so call_counter.c -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// In the order that stage.py's CALLS has.
enum { in, out, poll_, control, count };
static uint64_t unused[count];
static uint64_t *counts = unused;

__attribute__((constructor)) static void open_counts(void) {
  const char *path = getenv("CALL_COUNTS");
  int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
  if (fd < 0 || ftruncate(fd, sizeof unused)) return;
  void *memory = mmap(0, sizeof unused, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory != MAP_FAILED) counts = memory;
  close(fd);
}

#define NEXT(name) \
  static __typeof__(name) *next; \
  if (!next) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void add(int kind) { __atomic_fetch_add(&counts[kind], 1, __ATOMIC_RELAXED); }

ssize_t recv(int fd, void *to, size_t length, int flags) {
  NEXT(recv);
  return add(in), next(fd, to, length, flags);
}

ssize_t read(int fd, void *to, size_t length) {
  NEXT(read);
  return add(in), next(fd, to, length);
}

ssize_t readv(int fd, const struct iovec *to, int n) {
  NEXT(readv);
  return add(in), next(fd, to, n);
}

ssize_t send(int fd, const void *from, size_t length, int flags) {
  NEXT(send);
  return add(out), next(fd, from, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  NEXT(sendmsg);
  return add(out), next(fd, message, flags);
}

ssize_t write(int fd, const void *from, size_t length) {
  NEXT(write);
  return add(out), next(fd, from, length);
}

ssize_t writev(int fd, const struct iovec *from, int n) {
  NEXT(writev);
  return add(out), next(fd, from, n);
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout) {
  NEXT(epoll_wait);
  return add(poll_), next(fd, events, n, timeout);
}

int epoll_ctl(int fd, int operation, int target, struct epoll_event *event) {
  NEXT(epoll_ctl);
  return add(control), next(fd, operation, target, event);
}

// joulegate calls epoll_pwait2 by its number, and nothing else on its path that way.
long syscall(long number, ...) {
  NEXT(syscall);
  va_list arguments;
  va_start(arguments, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
  va_end(arguments);
  return add(poll_), next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
