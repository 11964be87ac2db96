// Everything joulegate needs of libnghttp2. The names that newer releases deprecate are
// still the only ones in Debian 12's package, so they are used as they are.
#ifndef JOULEGATE_CNGHTTP2_SHIM_H
#define JOULEGATE_CNGHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>
#include <string.h>

// Debian's 1.52 carries these two as security backports without declaring them; 1.57 and 1.61
// declare them with the same types. Weak: a library without them leaves the pointer null.
extern void nghttp2_option_set_stream_reset_rate_limit(
    nghttp2_option *option, uint64_t burst, uint64_t rate) __attribute__((weak));
extern void nghttp2_option_set_max_continuations(nghttp2_option *option, size_t value)
    __attribute__((weak));

/// Our own reset accounting comes first (it closes the connection); the library's limiter counts
/// absolutely and would cut honest busy clients, so it is set far above it.
static inline void joulegate_option_set_reset_rate(
    nghttp2_option *option, uint64_t burst, uint64_t rate) {
    if (nghttp2_option_set_stream_reset_rate_limit)
        nghttp2_option_set_stream_reset_rate_limit(option, burst, rate);
}

/// Our own count of CONTINUATION frames comes first: the library's depends on how TCP cuts them.
static inline void joulegate_option_set_max_continuations(nghttp2_option *option, size_t value) {
    if (nghttp2_option_set_max_continuations)
        nghttp2_option_set_max_continuations(option, value);
}

/// True if the library has the fixes without which a peer can exhaust or abort the process.
static inline int joulegate_nghttp2_is_patched(void) {
    return nghttp2_option_set_stream_reset_rate_limit != 0 &&
           nghttp2_option_set_max_continuations != 0;
}

#endif
