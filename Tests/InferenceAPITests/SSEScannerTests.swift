import InferenceTypes
import Testing

@testable import InferenceAPI

@Suite("Blocks of an event stream")
struct SSEScannerTests {
    /// The blocks that the pieces make, and what is left.
    private func blocks(_ pieces: [[UInt8]]) -> (blocks: [[UInt8]], rest: [UInt8]) {
        var scanner = SSEScanner()
        var blocks: [[UInt8]] = []
        var rest: [UInt8] = []
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                var start = 0
                while let end = scanner.endOfBlock(in: bytes, from: start) {
                    blocks.append(rest + bytes[start..<end])
                    rest = []
                    start = end
                }
                rest += bytes[start...]
            }
        }
        return (blocks, rest)
    }

    private func texts(_ text: String) -> [String] {
        blocks([Array(text.utf8)]).blocks.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a blank line ends a block, whatever ends the lines")
    func blankLines() {
        #expect(texts("data: 1\n\ndata: 2\n\nx") == ["data: 1\n\n", "data: 2\n\n"])
        #expect(texts("a\r\n\r\nb\r\n\r\n") == ["a\r\n\r\n", "b\r\n\r\n"])
        #expect(texts("a\r\rb\r\r") == ["a\r\r", "b\r\r"])
        #expect(texts("a\nb\n\n: ping\n\n") == ["a\nb\n\n", ": ping\n\n"])
        #expect(texts("a\r\n\nb\n\r") == ["a\r\n\n", "b\n\r"])
        #expect(texts("\n\na\n\n") == ["\n", "\n", "a\n\n"])
    }

    @Test("a CR that ends a CRLF stream's block waits for its LF, or for what comes instead")
    func halfLineEnd() {
        #expect(texts("a\r\n\r") == [])
        #expect(texts("a\r\n\rb\n\n") == ["a\r\n\r", "b\n\n"])
        #expect(texts("a\r\r\nb\r\r") == ["a\r\r", "\n", "b\r\r"])
    }

    @Test("where the input is split makes no difference")
    func splits() {
        var random = RandomSource(seed: 23)
        let alphabet = Array("\n\n\r\r:ab".utf8)
        for _ in 0..<2_000 {
            let input = (0..<40).map { _ in alphabet[random.nextIndex(below: alphabet.count)] }
            let whole = blocks([input])
            let single = blocks(input.map { [$0] })
            #expect(whole.blocks == single.blocks)
            #expect(whole.blocks.flatMap { $0 } + whole.rest == input)
        }
    }

    @Test("line ends are found at every place of a word, among bytes that nearly match")
    func lineEnds() {
        for byte: UInt8 in [0x0B, 0x0C, 0x09, 0x8A, 0x8D, 0x00, 0xFF] {
            for count in 0..<40 {
                var bytes = [UInt8](repeating: byte, count: count)
                #expect(bytes.withUnsafeBytes { SSELine.end(in: $0, from: 0) } == count)
                for end: UInt8 in [0x0A, 0x0D] {
                    bytes.append(contentsOf: [end, 0x0B, 0x0C, 0x0E, 0x0A, 0x0D, 0x0B, 0x00])
                    #expect(bytes.withUnsafeBytes { SSELine.end(in: $0, from: 0) } == count)
                    bytes.removeLast(8)
                }
            }
        }
    }

    @Test("written events are read back, line ends in them too")
    func writer() {
        var bytes: [UInt8] = []
        Array("{\"a\":1}".utf8).withUnsafeBytes { SSEWriter.appendEvent($0, to: &bytes) }
        SSEWriter.appendComment("ping", to: &bytes)
        Array("{\r\n}".utf8).withUnsafeBytes { SSEWriter.appendEvent($0, to: &bytes) }
        let expected = "data: {\"a\":1}\n\n: ping\n\ndata: {\ndata: }\n\n"
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(blocks([bytes]).blocks.count == 3)
        #expect("\(SSEWriter.done)" == "data: [DONE]\n\n")
    }
}
