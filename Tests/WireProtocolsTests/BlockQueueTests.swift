import InferenceTypes
import Testing

@testable import WireProtocols

extension BlockQueue {
    var contents: [UInt8] {
        var bytes: [UInt8] = []
        forEachPiece(limit: .max) { bytes.append(contentsOf: $0) }
        return bytes
    }
}

@Suite struct BlockQueueTests {
    @Test func itHoldsWhatAnArrayHolds() {
        var random = RandomSource(seed: 5)
        let pool = BlockPool(keptBlocks: 2)
        var queue = BlockQueue(pool: pool)
        var model: [UInt8] = []
        for round in 0..<4_000 {
            let size = random.nextIndex(below: round % 50 == 0 ? 20_000 : 900)
            switch random.nextIndex(below: 4) {
            case 0, 1:
                let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                bytes.withUnsafeBytes { queue.append($0) }
                model += bytes
            case 2:
                let count = min(size, model.count)
                queue.consume(count)
                model.removeFirst(count)
            default:
                let count = min(size, model.count)
                var moved = [UInt8](repeating: 0, count: count + 1)
                moved.withUnsafeMutableBytes { target in
                    guard let base = target.baseAddress else { return }
                    queue.move(count, to: base)
                }
                let isSame = moved.dropLast().elementsEqual(model.prefix(count))
                #expect(isSame)
                model.removeFirst(count)
            }
            let isSame = queue.contents == model && queue.count == model.count
            let isBounded = pool.used <= model.count / BlockPool.blockBytes + 2
            #expect(isSame && isBounded && pool.spare <= 2)
            guard isSame else { return }
        }
    }

    @Test func itsFrontIsTheFirstBlockOnly() {
        var queue = BlockQueue(pool: BlockPool())
        let bytes = [UInt8](repeating: 7, count: BlockPool.blockBytes + 10)
        bytes.withUnsafeBytes { queue.append($0) }
        let before = queue.front.count
        queue.consume(BlockPool.blockBytes)
        let after = queue.front.count
        #expect(before == BlockPool.blockBytes && after == 10)
    }

    @Test func roomIsPartOfTheQueueOnceCommitted() {
        var queue = BlockQueue(pool: BlockPool())
        queue.append(text: "ab")
        let room = queue.room()
        room.storeBytes(of: UInt8(ascii: "c"), as: UInt8.self)
        let before = queue.contents
        queue.commit(1)
        let after = queue.contents
        #expect(before == Array("ab".utf8) && after == Array("abc".utf8))
    }

    @Test func anEmptyQueueHoldsNoMemory() {
        let pool = BlockPool()
        do {
            var queue = BlockQueue(pool: pool)
            _ = queue.room()
            let held = pool.used
            queue.consume(0)
            let afterwards = pool.used
            #expect(held == 1 && afterwards == 0)
            queue.append(text: "left behind")
        }
        #expect(pool.used == 0 && pool.spare == 1)
    }

    @Test func aPieceLimitLeavesTheRest() {
        var queue = BlockQueue(pool: BlockPool())
        let bytes = [UInt8](repeating: 7, count: 3 * BlockPool.blockBytes)
        bytes.withUnsafeBytes { queue.append($0) }
        var seen = 0
        queue.forEachPiece(limit: 2) { seen += $0.count }
        #expect(seen == 2 * BlockPool.blockBytes)
    }
}
