/// The address of an HTTP service: scheme, host, port and path, nothing else. User names, query
/// strings on base addresses and fragments have no use here and are refused.
public struct ServiceURL: Hashable, Sendable, CustomStringConvertible {
    public enum Scheme: String, CaseIterable, Sendable {
        case http, https

        public var defaultPort: Int { self == .http ? 80 : 443 }
    }

    /// Why a text is not such an address.
    public struct Malformed: Error, Hashable, Sendable {
        public var message: String
    }

    public var scheme: Scheme
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    public var host: String
    public var port: Int
    /// Path and query as they go into a request line; `/` if the text had none.
    public var path: String

    public init(scheme: Scheme, host: String, port: Int, path: String = "/") {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    public init(_ text: String) throws(Malformed) {
        guard let scheme = Scheme.allCases.first(where: { text.hasPrefix($0.rawValue + "://") })
        else { throw Malformed(message: "an address starts with http:// or https://") }
        let rest = text.dropFirst(scheme.rawValue.count + 3)
        let printable = rest.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7F }
        guard printable else {
            throw Malformed(message: "an address holds printable ASCII without spaces only")
        }
        guard !rest.contains("#") else {
            throw Malformed(message: "an address here has no fragment (#)")
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = rest[end...]
        let (host, port) = try Self.authority(rest[..<end])
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.path = target.hasPrefix("/") ? String(target) : "/" + target
    }

    /// `host:port` as a Host field or a log line shows it; an IPv6 host in brackets.
    public var authority: String {
        (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    }

    public var description: String {
        "\(scheme.rawValue)://\(authority)" + (path == "/" ? "" : path)
    }

    private static func authority(_ text: Substring) throws(Malformed) -> (String, Int?) {
        guard !text.contains("@") else {
            throw Malformed(message: "user names and passwords in an address are refused")
        }
        var host = text
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else {
                throw Malformed(message: "the bracket of an IPv6 address is not closed")
            }
            host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw Malformed(message: "only :port may follow an IPv6 address")
            }
            portText = after.isEmpty ? nil : after.dropFirst()
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { throw Malformed(message: "'\(host)' is not an IPv6 address") }
        } else {
            if let colon = text.firstIndex(of: ":") {
                host = text[..<colon]
                portText = text[text.index(after: colon)...]
            }
            let allowed = host.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_")
            }
            guard allowed, !host.isEmpty else {
                throw Malformed(message: "'\(host)' is not a host name")
            }
        }
        guard let portText else { return (String(host), nil) }
        guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(portText),
            (1...65_535).contains(port)
        else { throw Malformed(message: "a port is a number from 1 to 65535") }
        return (String(host), port)
    }
}

extension ServiceURL {
    /// True if only this machine reaches it.
    var isLoopback: Bool { Self.isLoopback(host) }

    static func isLoopback(_ host: String) -> Bool {
        host.hasPrefix("127.") || host == "::1" || host == "localhost"
    }
}
