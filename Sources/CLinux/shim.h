// Linux system calls that Swift's Glibc module leaves out: epoll, eventfd, accept4, prctl.
#ifndef JOULEGATE_CLINUX_SHIM_H
#define JOULEGATE_CLINUX_SHIM_H

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Swift imports the flags of `enum EPOLL_EVENTS` as a struct; plain integers read better.
static const unsigned int joulegate_epollin = EPOLLIN;
static const unsigned int joulegate_epollout = EPOLLOUT;
static const unsigned int joulegate_epollerr = EPOLLERR;
static const unsigned int joulegate_epollhup = EPOLLHUP;
static const unsigned int joulegate_epollrdhup = EPOLLRDHUP;
static const unsigned int joulegate_epollet = EPOLLET;

/// An epoll_wait with a time-out in nanoseconds (-1: none). Falls back to milliseconds, rounded
/// up, where the kernel has no epoll_pwait2 (before 5.11).
static inline int joulegate_epoll_wait(
    int fd, struct epoll_event *events, int capacity, long long timeout_ns) {
    if (timeout_ns < 0) return epoll_wait(fd, events, capacity, -1);
    if (timeout_ns == 0) return epoll_wait(fd, events, capacity, 0);
    struct timespec ts;
    ts.tv_sec = timeout_ns / 1000000000LL;
    ts.tv_nsec = timeout_ns % 1000000000LL;
    static int missing = 0;
    if (!missing) {
        long n = syscall(SYS_epoll_pwait2, fd, events, capacity, &ts, (void *)0, (size_t)0);
        if (n >= 0 || errno != ENOSYS) return (int)n;
        missing = 1;
    }
    long long ms = (timeout_ns + 999999LL) / 1000000LL;
    return epoll_wait(fd, events, capacity, ms > 2147483647LL ? 2147483647 : (int)ms);
}

static inline int joulegate_accept(int fd, struct sockaddr *address, socklen_t *length) {
    extern int accept4(int, struct sockaddr *, socklen_t *, int);
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Names the calling thread, for top and perf.
static inline void joulegate_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Prompts and keys must not reach a core file or another process of the same user.
static inline void joulegate_forbid_dumps(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

#endif
