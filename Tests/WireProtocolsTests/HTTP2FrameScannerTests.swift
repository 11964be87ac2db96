import Testing

@testable import WireProtocols

private typealias F = HTTP2Frames

@Suite struct HTTP2FrameScannerTests {
    private func scan(
        _ bytes: [UInt8], step: Int, _ scanner: inout HTTP2FrameScanner
    ) -> [HTTP2FrameScanner.Head] {
        var heads: [HTTP2FrameScanner.Head] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            bytes[start..<min(start + step, bytes.count)].withUnsafeBytes {
                scanner.scan($0) { heads.append($0) }
            }
        }
        return heads
    }

    @Test(arguments: [1, 2, 7, 9, 10, 100_000])
    func everyHeaderIsFoundHoweverTheBytesAreCut(step: Int) {
        let big = [UInt8](repeating: 0xFF, count: 70_000)
        let bytes =
            F.start + F.frame(F.data, stream: 0x7FFF_FFFF, big)
            + F.frame(0xEE, flags: 0xA5, stream: 1) + F.request(1) + F.windowUpdate(1, 9)
        var scanner = HTTP2FrameScanner()
        let heads = scan(bytes, step: step, &scanner)
        var reader = HTTP2FrameReader()
        let expected = reader.append(bytes[24...]).map {
            HTTP2FrameScanner.Head(
                length: $0.payload.count, type: $0.type, flags: $0.flags, stream: $0.stream)
        }
        #expect(heads == expected)
        #expect(heads.map(\.length) == [0, 70_000, 0, heads[3].length, 4])
        #expect(!scanner.isWithinPart)
        #expect(scanner.headerFrames == 1)
    }

    @Test func aPartIsUnderWayUntilItIsWhole() {
        var scanner = HTTP2FrameScanner()
        #expect(scanner.isWithinPart, "the preface is to come")
        _ = scan(F.start, step: 1, &scanner)
        #expect(!scanner.isWithinPart)
        let before = scanner.part

        let block = F.block([(":method", "GET")])
        var bytes = F.frame(F.headers, stream: 1, block)
        bytes += F.frame(F.continuation, stream: 1, [])
        for byte in bytes {
            _ = scan([byte], step: 1, &scanner)
            #expect(scanner.isWithinPart && scanner.part == before + 1)
        }
        // Only END_HEADERS ends it; the continuations are no parts of their own.
        _ = scan(F.frame(F.continuation, flags: F.endHeaders, stream: 1), step: 1, &scanner)
        #expect(!scanner.isWithinPart && scanner.part == before + 1)

        _ = scan(Array(F.body(1, [1, 2, 3]).dropLast()), step: 1, &scanner)
        #expect(!scanner.isWithinPart, "a body's deadline is the stream's")
        _ = scan([3] + F.windowUpdate(0, 1).dropLast(), step: 1, &scanner)
        #expect(scanner.isWithinPart && scanner.part == before + 3)
    }

    @Test func aStreamThatWasPassedOverIsKnown() {
        func isFound(_ ids: [Int]) -> Bool {
            var scanner = HTTP2FrameScanner()
            _ = scan(F.start + ids.flatMap { F.request($0) }, step: 50, &scanner)
            return scanner.hasUsedSkippedStream
        }
        #expect(!isFound([1, 3, 5, 7]))
        #expect(!isFound([3, 9, 11, 13]))
        #expect(isFound([3, 1]))
        #expect(isFound([5, 3]))
        #expect(isFound([1, 101, 103, 51]))
        #expect(isFound([1, 101, 201, 99]))
        // The id of a stream that was open: an error too, but not this one.
        #expect(!isFound([1, 3, 1]))
        #expect(!isFound([1, 101, 101]))
        // Only so many are remembered, whatever a client does.
        #expect(!isFound((0...40).map { 10 * $0 + 1 } + [3]))
    }
}
