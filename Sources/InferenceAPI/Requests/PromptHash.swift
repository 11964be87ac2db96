import InferenceTypes

/// Hashes the beginnings of a text in one pass. Seeded by the process and salted by whom the text
/// belongs to: nobody outside can make two texts collide, and hashes of two owners have nothing in
/// common. Fast rather than strong: it tells texts apart, it protects none.
public struct PromptHash: Sendable {
    private var low: UInt64
    private var high: UInt64

    public init(random: inout some RandomNumberGenerator) {
        low = random.next() | 1
        high = random.next() | 1
    }

    /// The hash of one tenant's prompts to one model.
    public func salted(tenant: Int, model: Int) -> PromptHash {
        var salted = self
        salted.mix(UInt64(truncatingIfNeeded: tenant) &* 0x9E37_79B9_7F4A_7C15)
        salted.mix(UInt64(truncatingIfNeeded: model) &* 0xD6E8_FEB8_6659_FD93)
        return salted
    }

    /// The hash of texts that stand behind this one; `kind` tells one sort of text from another.
    func salted(by text: UnsafeRawBufferPointer, as kind: UInt64) -> PromptHash {
        var stepper = Stepper(self)
        var salted = self
        salted.mix(kind)
        salted.mix(stepper.hash(of: text, upTo: text.count))
        return salted
    }

    /// Of a key; never 0.
    public func key(_ text: UnsafeRawBufferPointer) -> UInt64 {
        var stepper = Stepper(self)
        return max(stepper.hash(of: text, upTo: text.count), 1)
    }

    private mutating func mix(_ word: UInt64) {
        let next = (low ^ word).folded(with: high ^ 0xA076_1D64_78BD_642F)
        high = (high ^ word).folded(with: low ^ 0xE703_7ED1_A0B4_28DB) | 1
        low = next | 1
    }

    /// Goes through one text from its start. Two lanes of 16 bytes each, so that the processor
    /// multiplies for both at once.
    struct Stepper {
        private static let stride = 32
        /// Any numbers, so that no factor is zero where state and seed are the same.
        private static let between: UInt64 = 0x8EBC_6AF0_9C88_C6E3
        private static let last: UInt64 = 0x5899_65CC_7537_4CC3

        private let low: UInt64
        private let high: UInt64
        private var one: UInt64
        private var two: UInt64
        private var done = 0

        init(_ hash: PromptHash) {
            low = hash.low
            high = hash.high
            one = hash.low
            two = hash.high
        }

        /// The hash of the text's first `end` bytes. Ends ascend; it does not depend on which were
        /// asked for before.
        mutating func hash(of text: UnsafeRawBufferPointer, upTo end: Int) -> UInt64 {
            let end = min(max(end, 0), text.count)
            while done + Self.stride <= end {
                step(text, at: done)
                done += Self.stride
            }
            var rest = self
            rest.finish(text, done..<max(end, done))
            return (rest.one ^ UInt64(end)).folded(with: rest.two ^ Self.last)
        }

        private mutating func step(_ text: UnsafeRawBufferPointer, at place: Int) {
            let a = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let b = text.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
            let c = text.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self)
            let d = text.loadUnaligned(fromByteOffset: place + 24, as: UInt64.self)
            one = (a ^ low).folded(with: b ^ one)
            two = (c ^ high).folded(with: d ^ two)
        }

        /// The last bytes, fewer than a step has.
        private mutating func finish(_ text: UnsafeRawBufferPointer, _ places: Range<Int>) {
            var place = places.lowerBound
            while place < places.upperBound {
                var word: UInt64 = 0
                if place + 8 <= places.upperBound {
                    word = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                    place += 8
                } else {
                    while place < places.upperBound {
                        word = word << 8 | UInt64(text[place])
                        place += 1
                    }
                }
                let before = one
                one = two
                two = (word ^ low).folded(with: before ^ Self.between)
            }
        }
    }
}
