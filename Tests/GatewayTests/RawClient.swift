/// A blocking HTTP/1.1 client, one connection per object. It waits ten seconds at most.
final class RawClient {
    private let wire: RawWire
    private var received: [UInt8] = []
    private(set) var isClosed = false

    /// `receiveBuffer`: bytes that the kernel may hold for a client that does not read.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        wire = try RawWire(port: port, receiveBuffer: receiveBuffer)
    }

    // MARK: Sending

    func send(_ text: String) { wire.send(Array(text.utf8)) }

    func request(
        _ method: String, _ path: String, _ body: String = "", fields: [String: String] = [:],
        closes: Bool = false
    ) {
        var text = "\(method) \(path) HTTP/1.1\r\nhost: test\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        if closes { text += "connection: close\r\n" }
        if method != "GET" { text += "content-length: \(body.utf8.count)\r\n" }
        send(text + "\r\n" + body)
    }

    // MARK: Receiving

    /// The next response, whole if it becomes so, or as far as it has come once its body holds
    /// `mark`; what came is kept in that case.
    func response(until mark: String? = nil) -> RawResponse {
        var wanted = 0
        while true {
            // Nothing new to be read out of a long answer before all of it is here.
            if received.count < wanted, mark == nil, !isClosed {
                fill()
                continue
            }
            let response = RawResponse(received, isClosed: isClosed)
            wanted = response.length
            if response.isWhole {
                received.removeFirst(min(response.length, received.count))
                return response
            }
            if isClosed { return response }
            if let mark, response.text.contains(mark) { return response }
            fill()
        }
    }

    /// As `response`, for a long chunked one: looked into once all of it is here.
    func longResponse() -> RawResponse {
        let end = Array("\r\n0\r\n\r\n".utf8)
        while !isClosed, !received.suffix(end.count).elementsEqual(end) { fill() }
        return response()
    }

    /// Everything up to the end of the connection.
    func rest() -> [UInt8] {
        while !isClosed { fill() }
        return received
    }

    private func fill() {
        if let bytes = wire.receive() { received += bytes } else { isClosed = true }
    }

    // MARK: Leaving

    func close() {
        wire.close()
        isClosed = true
    }

    func reset() {
        wire.reset()
        isClosed = true
    }

    // MARK: One request on a connection of its own

    static func get(
        _ port: UInt16, _ path: String, fields: [String: String] = [:]
    ) -> RawResponse {
        guard let client = try? RawClient(port: port) else { return RawResponse() }
        client.request("GET", path, fields: fields, closes: true)
        return client.response()
    }

    static func post(
        _ port: UInt16, _ path: String, _ body: String, fields: [String: String] = [:]
    ) -> RawResponse {
        guard let client = try? RawClient(port: port) else { return RawResponse() }
        client.request("POST", path, body, fields: fields, closes: true)
        return client.response()
    }
}
