import InferenceTypes
import Testing

@testable import WireProtocols

@Suite struct HTTP2MemoryTests {
    /// Pieces of random sizes that come, grow and go in any order, each filled with a byte of its
    /// own: no two of them may lie in one place.
    @Test func piecesKeepWhatIsWrittenToThem() throws {
        var random = RandomSource(seed: 11)
        let memory = HTTP2Memory()
        var pieces: [(start: UnsafeMutableRawPointer, count: Int, mark: UInt8)] = []
        defer { for piece in pieces { memory.give(piece.start) } }
        func isWhole(_ start: UnsafeMutableRawPointer, _ count: Int, _ mark: UInt8) -> Bool {
            UnsafeRawBufferPointer(start: start, count: count).allSatisfy { $0 == mark }
        }
        for round in 0..<20_000 {
            let count = random.nextIndex(below: round % 40 == 0 ? 5_000 : 600)
            let mark = UInt8(truncatingIfNeeded: round)
            switch random.nextIndex(below: 5) {
            case 0, 1:
                let start = try #require(memory.take(count))
                #expect(UInt(bitPattern: start) % 16 == 0)
                UnsafeMutableRawBufferPointer(start: start, count: count).initializeMemory(
                    as: UInt8.self, repeating: mark)
                pieces.append((start, count, mark))
            case 2:
                let start = try #require(memory.takeZeroed(count, of: 3))
                #expect(isWhole(start, 3 * count, 0))
                memory.give(start)
            case 3 where !pieces.isEmpty:
                let index = random.nextIndex(below: pieces.count)
                let old = pieces[index]
                let grown = try #require(memory.resize(old.start, to: count))
                #expect(isWhole(grown, min(old.count, count), old.mark))
                UnsafeMutableRawBufferPointer(start: grown, count: count).initializeMemory(
                    as: UInt8.self, repeating: old.mark)
                pieces[index] = (grown, count, old.mark)
            default:
                guard !pieces.isEmpty else { break }
                let old = pieces.swapRemove(at: random.nextIndex(below: pieces.count))
                #expect(isWhole(old.start, old.count, old.mark))
                memory.give(old.start)
            }
        }
    }

    @Test func aPieceThatWasGivenBackComesAgain() throws {
        for count in [1, 48, 49, 112, 240, 496, 1_008] {
            let memory = HTTP2Memory()
            let first = try #require(memory.take(count))
            memory.give(first)
            #expect(memory.spareBytes > 0)
            let second = try #require(memory.take(count))
            #expect(first == second)
            #expect(memory.spareBytes == 0)
            memory.give(second)
        }
    }

    @Test func spareMemoryIsBounded() throws {
        let memory = HTTP2Memory()
        for count in [1, 100, 200, 400, 900, 5_000] {
            let pieces = try (0..<4_000).map { _ in try #require(memory.take(count)) }
            for piece in pieces { memory.give(piece) }
        }
        #expect(memory.spareBytes <= HTTP2Memory.classes * (128 << 10))
        #expect(memory.spareBytes >= 4 * (128 << 10))
    }

    @Test func whatNobodyCanHaveIsRefused() {
        let memory = HTTP2Memory()
        #expect(memory.take(.max) == nil)
        #expect(memory.takeZeroed(.max, of: 2) == nil)
        #expect(memory.resize(nil, to: .max) == nil)
        memory.give(nil)
        #expect(memory.spareBytes == 0)
    }
}

extension Array {
    fileprivate mutating func swapRemove(at index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
