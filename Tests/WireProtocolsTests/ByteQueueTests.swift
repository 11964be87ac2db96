import InferenceTypes
import Testing

@testable import WireProtocols

extension ByteQueue {
    var contents: [UInt8] { Array(readable) }
}

@Suite struct ByteQueueTests {
    @Test func itHoldsWhatAnArrayHolds() {
        var random = RandomSource(seed: 3)
        var queue = ByteQueue(keeping: 512)
        var model: [UInt8] = []
        for round in 0..<5_000 {
            if random.nextIndex(below: 2) == 0 {
                let size = random.nextIndex(below: round % 100 == 0 ? 5_000 : 200)
                let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                bytes.withUnsafeBytes { queue.append($0) }
                model += bytes
            } else {
                let count = random.nextIndex(below: min(model.count, 400) + 1)
                queue.consume(count)
                model.removeFirst(count)
            }
            let isSame = queue.readable.elementsEqual(model)
            let count = queue.count
            #expect(isSame && count == model.count)
            guard isSame else { return }
        }
    }

    @Test func reservedRoomIsReadableOnceCommitted() {
        var queue = ByteQueue()
        queue.append(text: "ab")
        let room = queue.reserve(1_000)
        room.storeBytes(of: UInt8(ascii: "c"), as: UInt8.self)
        let before = queue.contents
        queue.commit(1)
        let after = queue.contents
        #expect(before == Array("ab".utf8))
        #expect(after == Array("abc".utf8))
    }

    @Test func anEmptyQueueGivesNothing() {
        var queue = ByteQueue()
        let before = queue.contents
        queue.append(UnsafeRawBufferPointer(start: nil, count: 0))
        queue.consume(0)
        queue.clear()
        let after = queue.contents
        #expect(before.isEmpty && after.isEmpty)
    }
}
