/// What a request is for, beyond what framing demands of it.
extension FieldBlock {
    /// False if two readers could take the request to be for two things: a target with a fragment
    /// or bytes that a URL cannot hold, an authority that names a user or is none, a `host` beside
    /// `:authority` that says something else (RFC 9113 8.3.1, RFC 3986).
    public var hasSoundTarget: Bool {
        let isPathSound = withValue(of: ":path", HTTP1Text.isPath)
        guard isPathSound ?? true else { return false }
        let authority = index(of: ":authority")
        let isAuthoritySound = authority.map { withValue(at: $0, HTTP1Text.isHost) }
        guard isAuthoritySound ?? true else { return false }
        guard let host = index(of: "host") else { return true }
        return withValue(at: host) { host in
            guard HTTP1Text.isHost(host) else { return false }
            guard let authority else { return true }
            return withValue(at: authority) { authority in
                host.count == authority.count
                    && zip(host, authority).allSatisfy {
                        HTTP1Text.lowercased($0) == HTTP1Text.lowercased($1)
                    }
            }
        }
    }

    /// The value of `content-length`, if it is one: digits alone (RFC 9110 8.6).
    public var contentLength: Int? {
        withValue(of: "content-length") { text in
            var length = 0
            for unit in text {
                guard case 0x30...0x39 = unit else { return nil }
                let (tens, isTooLong) = length.multipliedReportingOverflow(by: 10)
                let (sum, isOver) = tens.addingReportingOverflow(Int(unit - 0x30))
                // Too long for any limit, but a number.
                if isTooLong || isOver { return Int.max }
                length = sum
            }
            return text.isEmpty ? nil : length
        } ?? nil
    }

    /// The client waits for status 100 before it sends its body (RFC 9110 10.1.1).
    public var expectsContinue: Bool {
        withValue(of: "expect") { HTTP1Text.equals($0, "100-continue") } ?? false
    }
}
