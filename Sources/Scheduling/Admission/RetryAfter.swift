import InferenceTypes

/// The figure for a `Retry-After` header: `ceil(wait x (1 + u / 2))`, u random in 0 ..< 1, and
/// from 1 to 120. Worked: a wait of 10 s gives 10 to 15; 0 s gives 1; an hour gives 120.
enum RetryAfter {
    static func seconds(for wait: TimeSpan, random: inout RandomSource) -> Int {
        let spread = wait.seconds * (1 + random.nextUnit() / 2)
        return Int(min(max(spread.rounded(.up), 1), 120))
    }
}
