import InferenceTypes

/// What a request line asks for.
public enum Route: Equatable, Sendable {
    case inference(InferenceTask)
    /// Questions about a text that a classifier answers.
    case decisions
    case models
    /// One model; the identifier is percent-decoded and may contain slashes.
    case model(id: String)
    case health, liveness, readiness, version

    /// Finds the route, or why there is none. Paths are compared byte for byte: nothing is
    /// normalised, so that no two servers in a row can take one path for two.
    public static func resolve(
        method: UnsafeRawBufferPointer, path target: UnsafeRawBufferPointer
    ) throws(APIError) -> Route {
        // What most ask for, as it stands in the table: nothing in there is suspicious.
        if let task = task(at: target), method.holds("POST") { return .inference(task) }
        let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
        let path = UnsafeRawBufferPointer(rebasing: target[..<end])
        guard !isSuspicious(path) else { throw .notFound }
        if let task = task(at: path) {
            guard method.holds("POST") else { throw .methodNotAllowed(allow: "POST") }
            return .inference(task)
        }
        if path.holds("/v1/decisions") {
            guard method.holds("POST") else { throw .methodNotAllowed(allow: "POST") }
            return .decisions
        }
        guard let route = resource(at: path) else {
            // The server as a whole is there, but has no options to tell.
            throw method.holds("OPTIONS") && path.holds("*") ? onlyReads : .notFound
        }
        guard method.holds("GET") || method.holds("HEAD") else { throw onlyReads }
        return route
    }

    private static let onlyReads = APIError.methodNotAllowed(allow: "GET, HEAD")

    private static func task(at path: UnsafeRawBufferPointer) -> InferenceTask? {
        tasks.first { path.holds($0.path) }?.task
    }

    private static let tasks: [(path: StaticString, task: InferenceTask)] = [
        ("/v1/chat/completions", .chat),
        ("/v1/completions", .completion),
        ("/v1/embeddings", .embedding),
        ("/v1/responses", .responses),
        ("/classify", .classify), ("/v1/classify", .classify),
        ("/rerank", .rerank), ("/v1/rerank", .rerank), ("/v2/rerank", .rerank),
        ("/score", .score), ("/v1/score", .score),
        ("/tokenize", .tokenize), ("/v1/tokenize", .tokenize),
        ("/detokenize", .detokenize), ("/v1/detokenize", .detokenize),
    ]

    private static func resource(at path: UnsafeRawBufferPointer) -> Route? {
        if path.holds("/health") { return .health }
        if path.holds("/liveness") { return .liveness }
        if path.holds("/readiness") { return .readiness }
        if path.holds("/version") { return .version }
        if path.holds("/v1/models") { return .models }
        let prefix: StaticString = "/v1/models/"
        let count = prefix.utf8CodeUnitCount
        guard path.count > count,
            UnsafeRawBufferPointer(rebasing: path[..<count]).holds(prefix),
            let id = decoded(UnsafeRawBufferPointer(rebasing: path[count...]))
        else { return nil }
        return .model(id: id)
    }

    /// True for what someone might send to get around a comparison of paths.
    private static func isSuspicious(_ path: UnsafeRawBufferPointer) -> Bool {
        var before: UInt8 = 0
        for byte in path {
            switch byte {
            case UInt8(ascii: "\\"): return true
            case UInt8(ascii: "/"), UInt8(ascii: "."): if byte == before { return true }
            case UInt8(ascii: "%"): return hasEncodedDot(path)
            default: break
            }
            before = byte
        }
        return false
    }

    /// Reads a path in which something is encoded once more, with more care.
    private static func hasEncodedDot(_ path: UnsafeRawBufferPointer) -> Bool {
        for index in path.indices {
            let byte = path[index]
            if byte == UInt8(ascii: "\\") { return true }
            guard index + 1 < path.count else { break }
            let next = path[index + 1]
            if byte == next, byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") {
                return true
            }
            if byte == UInt8(ascii: "%"), next == UInt8(ascii: "2"), index + 2 < path.count,
                path[index + 2] | 0x20 == UInt8(ascii: "e")
            {
                return true
            }
        }
        return false
    }

    /// Undoes percent-encoding; `nil` if it is broken or the result is not printable UTF-8.
    private static func decoded(_ bytes: UnsafeRawBufferPointer) -> String? {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var offset = 0
        while offset < bytes.count {
            var byte = bytes[offset]
            if byte == UInt8(ascii: "%") {
                guard bytes.count - offset > 2, let high = nibble(bytes[offset + 1]),
                    let low = nibble(bytes[offset + 2])
                else { return nil }
                byte = high << 4 | low
                offset += 2
            }
            guard byte >= 0x20, byte != 0x7F else { return nil }
            text.append(byte)
            offset += 1
        }
        return String(validating: text, as: UTF8.self)
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        let digit = byte &- UInt8(ascii: "0")
        if digit <= 9 { return digit }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter <= 5 ? letter + 10 : nil
    }
}
