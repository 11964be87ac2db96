import EmulatedEngine
import Glibc
import InferenceTypes
import Testing

@testable import EmulatedServer

/// The whole server over loopback.
@Suite(.serialized) struct ServerTests {
    private func start(
        _ kind: EngineKind = .vllm, faults: [String] = []
    ) throws -> EmulatedServer {
        let service = ServiceOptions(
            kind: kind, profile: ServiceRig.profile, model: "m", faults: try FaultPlan(faults))
        let server = EmulatedServer(EmulatedServer.Options(service: service))
        try server.start()
        return server
    }

    /// Payloads of the chunks of a chunked response.
    private func payload(_ response: String) -> String {
        var rest = Substring(response.split(separator: "\r\n\r\n", maxSplits: 1).last ?? "")
        var text: [UInt8] = []
        while let line = rest.firstRange(of: "\r\n"),
            let count = Int(rest[..<line.lowerBound], radix: 16), count > 0
        {
            let bytes = rest[line.upperBound...].utf8
            text.append(contentsOf: bytes.prefix(count))
            rest = rest[(bytes.index(bytes.startIndex, offsetBy: count))...].dropFirst()
        }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func servesStreamsPagesAndThePowerExporter() throws {
        let server = try start()
        defer { server.stop() }
        #expect(server.port != 0)
        #expect(SocketClient.get(server.port, "/health").hasPrefix("HTTP/1.1 200 OK\r\n"))
        let response = SocketClient.post(
            server.port, "/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":12"))
        #expect(response.contains("transfer-encoding: chunked\r\n"))
        #expect(response.hasSuffix("0\r\n\r\n"))
        var answer = ServiceRig.Answer()
        answer.body = payload(response)
        #expect(answer.text == EmulatedText.text(for: Bodies.key(), tokens: 0..<12))
        let page = SocketClient.get(server.exporterPort ?? 0, "/metrics")
        #expect(page.contains("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{"))
        #expect(SocketClient.get(server.exporterPort ?? 0, "/other").contains(" 404 "))
    }

    @Test func tokensComeInRealTime() throws {
        let server = try start()
        defer { server.stop() }
        let clock = ContinuousClock()
        // 30 tokens: 0.1 ms of prefill, then 29 times 10 ms.
        let elapsed = clock.measure {
            _ = SocketClient.post(
                server.port, "/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":30"))
        }
        #expect(elapsed >= .milliseconds(290))
        #expect(elapsed < .milliseconds(900))
    }

    @Test func aClientThatLeftIsGoneWithin50Milliseconds() throws {
        let server = try start()
        defer { server.stop() }
        var client = SocketClient(port: server.port)
        client?.send(
            "POST", "/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":5000"))
        _ = client?.read(until: "\"content\":\"«")
        #expect(SocketClient.get(server.port, "/emulated/state").contains("\"running\":1"))
        client = nil
        usleep(50_000)
        let state = SocketClient.get(server.port, "/emulated/state")
        #expect(state.contains("\"running\":0"))
        #expect(state.contains("\"cancelled\":1"))
    }

    @Test func aCutLeavesWholeEventsAndNoTerminator() throws {
        let server = try start(faults: ["cut-chunked:4"])
        defer { server.stop() }
        let response = SocketClient.post(server.port, "/v1/chat/completions", Bodies.chat())
        #expect(!response.hasSuffix("0\r\n\r\n"))
        var answer = ServiceRig.Answer()
        answer.body = payload(response)
        #expect(answer.text == EmulatedText.text(for: Bodies.key(), tokens: 0..<4))
        let cut = SocketClient.post(
            server.port, "/v1/chat/completions",
            Bodies.chat(stream: false, extra: ",\"emulated_fault\":\"unary-cut\""))
        let promised = cut.split(separator: "content-length: ").last?.prefix { $0.isNumber }
        let body = cut.split(separator: "\r\n\r\n", maxSplits: 1).last
        #expect(body?.utf8.count == (promised.flatMap { Int($0) } ?? 0) / 2)
        let silent = SocketClient.post(
            server.port, "/v1/embeddings",
            "{\"input\":\"x\",\"emulated_fault\":\"close-before-headers\"}")
        #expect(silent.isEmpty)
    }

    @Test func aTakenExporterPortFreesTheOther() throws {
        let first = try start()
        defer { first.stop() }
        var options = first.options
        options.port = 0
        options.exporterPort = first.exporterPort
        let clash = EmulatedServer(options)
        #expect(throws: (any Error).self) { try clash.start() }
        #expect(clash.port == 0)
        #expect(clash.trueEnergy == .zero)
        usleep(20_000)
        // Idle: 100 W since the start.
        #expect(first.trueEnergy.value > 1)
        #expect(first.truePower == Watts(100))
    }

    @Test func framingFaultsReachTheWire() throws {
        let server = try start()
        defer { server.stop() }
        func stream(_ fault: String) -> String {
            SocketClient.post(
                server.port, "/v1/chat/completions",
                Bodies.chat(extra: ",\"max_tokens\":6,\"emulated_fault\":\"\(fault)\""))
        }
        let cut = stream("cut-close:3")
        #expect(cut.contains("connection: close\r\n") && !cut.contains("transfer-encoding"))
        var answer = ServiceRig.Answer()
        answer.body = String(cut.split(separator: "\r\n\r\n", maxSplits: 1).last ?? "")
        #expect(answer.text == EmulatedText.text(for: Bodies.key(), tokens: 0..<3))

        let garbage = stream("garbage-chunk:3")
        #expect(garbage.contains("transfer-encoding: chunked\r\n"))
        #expect(garbage.hasSuffix("zz-not-a-chunk-size\r\n\u{1}\u{2}\r\n"))
        answer.body = payload(garbage)
        #expect(answer.text == EmulatedText.text(for: Bodies.key(), tokens: 0..<3))

        let spared = stream("garbage-chunk:99")
        #expect(spared.hasSuffix("data: [DONE]\n\n\r\n0\r\n\r\n"))
    }

    @Test func stopsLikeAKilledProcessAndStartsAgain() throws {
        let server = try start(.llamaServer)
        let port = server.port
        let client = SocketClient(port: port)
        client?.send(
            "POST", "/v1/chat/completions", Bodies.chat(extra: ",\"max_tokens\":5000"))
        _ = client?.read(until: "\"content\":\"«")
        server.stop()
        let rest = client?.read() ?? "none"
        #expect(!rest.contains("[DONE]"))
        #expect(SocketClient(port: port) == nil)
        try server.start()
        defer { server.stop() }
        #expect(server.port == port)
        #expect(SocketClient.get(port, "/health").contains("{\"status\":\"ok\"}"))
        #expect(SocketClient.get(port, "/emulated/state").contains("\"running\":0"))
    }

    @Test func keepAliveServesMany() throws {
        let server = try start()
        defer { server.stop() }
        let client = try #require(SocketClient(port: server.port))
        for _ in 0..<50 {
            client.send("POST", "/v1/embeddings", "{\"input\":\"x\"}", close: false)
            #expect(client.read(until: "\"completion_tokens\":0").hasPrefix("HTTP/1.1 200"))
        }
    }
}
