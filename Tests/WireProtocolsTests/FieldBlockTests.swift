import Testing

@testable import WireProtocols

@Suite struct FieldBlockTests {
    @Test func fieldsAreFoundByNameAndPlace() {
        var block = FieldBlock()
        block.append(":status", "200")
        block.append(name: "content-length", number: 0)
        block.append(name: "x", number: Int.max)
        block.append(name: "x", value: "second")
        #expect(block.list == [
            ":status=200", "content-length=0", "x=9223372036854775807", "x=second",
        ])
        #expect(block.string("x") == "9223372036854775807")
        #expect(block.index(of: "x") == 2)
        #expect(block.count(of: "x") == 2)
        #expect(block.contains(":status") && !block.contains("X") && !block.contains(""))
        #expect(block.name(at: 3, equals: "x") && !block.name(at: 3, equals: "y"))
        #expect(block.withValue(of: "x") { $0.count } == 19)
        #expect(block.withValue(of: "none") { $0.count } == nil)
        #expect(block.withName(at: 0) { $0.count } == 7)
    }

    @Test func theSizeIsCountedAsRFC9113Does() {
        var block = FieldBlock()
        block.append("ab", "cde")
        block.append("", "")
        #expect(block.listSize == 5 + 64)
        block.removeAll()
        #expect(block.listSize == 0)
        #expect(block.list.isEmpty)
    }

    @Test func fieldsAreCopiedBetweenBlocks() {
        var one = FieldBlock()
        one.append("a", "1")
        one.append("b", "\u{d55c}")
        var two = FieldBlock()
        two.append("z", "0")
        two.append(one, at: 1)
        two.append(one, at: 0)
        #expect(two.list == ["z=0", "b=\u{d55c}", "a=1"])
    }

    @Test func invalidTextIsRepairedForDisplayOnly() {
        var block = FieldBlock()
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        bytes.withUnsafeBytes { block.append(name: "n", value: $0) }
        #expect(block.string("n") == "a\u{fffd}b")
        #expect(block.withValue(of: "n") { Array($0) } == bytes)
    }
}
