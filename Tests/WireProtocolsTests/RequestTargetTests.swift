import Testing

@testable import WireProtocols

@Suite struct RequestTargetTests {
    private func isSound(_ fields: [(String, String)]) -> Bool {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name, value) }
        return block.hasSoundTarget
    }

    @Test(arguments: [
        [(":path", "/"), (":authority", "a")],
        [(":path", "/a%20b?c=/../d&e=%23"), (":authority", "a.test:8080")],
        [(":path", "/"), (":authority", "a"), ("host", "a")],
        [(":path", "/"), (":authority", "A.Test"), ("host", "a.tesT")],
        [(":path", "/"), ("host", "[::1]:80")],
        [(":authority", "a:443")], [(":path", "/")], [],
    ])
    func whatIsForOneThingIsSound(fields: [(String, String)]) {
        #expect(isSound(fields))
    }

    @Test(arguments: [
        [(":path", "/#x"), (":authority", "a")],
        [(":path", "/?x#"), (":authority", "a")],
        [(":path", "/\u{E9}"), (":authority", "a")],
        [(":path", "/"), (":authority", "u@a")],
        [(":path", "/"), (":authority", "")],
        [(":path", "/"), (":authority", "a/b")],
        [(":path", "/"), ("host", "u@a")],
        [(":path", "/"), ("host", "")],
        [(":path", "/"), (":authority", "a"), ("host", "b")],
        [(":path", "/"), (":authority", "a"), ("host", "aa")],
        [(":path", "/"), (":authority", "a"), ("host", "a:80")],
        [(":path", "/"), (":authority", "u@a"), ("host", "u@a")],
    ])
    func whatCouldBeForTwoThingsIsNot(fields: [(String, String)]) {
        #expect(!isSound(fields))
    }
}
