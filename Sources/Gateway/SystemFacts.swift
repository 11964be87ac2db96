import Glibc
import InferenceTypes

/// The calendar's clock: for time stamps that people read, never for deadlines.
enum WallClock {
    /// Since 1970.
    static func now() -> TimeSpan {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return TimeSpan(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

enum ProcessorCount {
    static func online() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}

/// Waiting on the main thread, which has nothing else to do.
enum Pause {
    static func milliseconds(_ count: UInt32) { usleep(count * 1_000) }
}
