import Glibc

/// SIGTERM and SIGINT as something to wait for. Blocked before any thread starts, so that every
/// thread inherits the mask and only `wait` sees them.
enum StopSignals {
    private static func set() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    static func block() {
        var set = set()
        sigprocmask(SIG_BLOCK, &set, nil)
        // A peer that closes its end is an error code of `send`, not a signal.
        signal(SIGPIPE, SIG_IGN)
    }

    /// True if one has come that nobody has waited for.
    static func arePending() -> Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1
    }

    static func wait() {
        var set = set()
        var caught: Int32 = 0
        while sigwait(&set, &caught) != 0 {}
    }
}
