/// Splits whole amounts by weights so that the parts add up to the amount to the last unit.
///
/// Everybody first gets the whole part of `amount x weight / sum`; what is left over goes, one
/// unit each, to those with the largest remainders, and of equal ones to the smaller key. The
/// result hangs on weights and keys alone, never on their order.
///
/// Worked: 100 among weights 1, 1, 1: 33.33 each; one unit is left and goes to the smallest key:
/// 34, 33, 33.
struct LargestRemainder: Sendable {
    struct Entry: Hashable, Sendable {
        var weight: UInt64
        /// Breaks ties.
        var key: UInt64
        var amount: Int64 = 0
    }

    var entries: [Entry] = []
    private var remainders: [(remainder: UInt64, key: UInt64, index: Int)] = []

    /// Weights are whole; fractions of a joule become nanojoules by ``weight(joules:)``.
    static func weight(joules: Double) -> UInt64 {
        guard joules > 0 else { return 0 }
        return joules < 9e9 ? UInt64(joules * 1e9) : 9_000_000_000_000_000_000
    }

    /// The sum of the weights, saturating.
    var sum: UInt64 {
        var sum: UInt64 = 0
        for entry in entries {
            let (next, overflow) = sum.addingReportingOverflow(entry.weight)
            sum = overflow ? .max : next
        }
        return sum
    }

    /// Fills in the amounts and returns what could not be split: all of it if no weight is above
    /// zero, else nothing. `amount` is not negative.
    mutating func split(_ amount: Int64) -> Int64 {
        for index in entries.indices { entries[index].amount = 0 }
        shrinkIfNeeded()
        let sum = sum
        guard amount > 0, sum > 0 else { return max(amount, 0) }
        remainders.removeAll(keepingCapacity: true)
        var left = amount
        for index in entries.indices where entries[index].weight > 0 {
            let product = UInt64(amount).multipliedFullWidth(by: entries[index].weight)
            let (quotient, remainder) = sum.dividingFullWidth(product)
            entries[index].amount = Int64(quotient)
            left -= Int64(quotient)
            if remainder > 0 {
                remainders.append((remainder, entries[index].key, index))
            }
        }
        guard left > 0 else { return 0 }
        remainders.sort { ($1.remainder, $0.key) < ($0.remainder, $1.key) }
        for (_, _, index) in remainders.prefix(Int(left)) { entries[index].amount += 1 }
        return 0
    }

    /// Weights whose sum would not fit lose their last bits.
    private mutating func shrinkIfNeeded() {
        while sum == .max {
            for index in entries.indices { entries[index].weight >>= 8 }
        }
    }
}
