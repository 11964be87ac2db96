import Configuration
import InferenceTypes
import Testing

@testable import Gateway

@Suite struct UpstreamHeadTests {
    private func head(_ url: String, key: String? = nil, _ task: InferenceTask) throws -> String {
        var configuration = GatewayFixture.minimal()
        configuration.models = [GatewayConfiguration.Model(name: "m")]
        var pool = GatewayConfiguration.Pool(
            name: "p", engine: .vllm, profile: FastProfiles.profile(),
            endpoints: [GatewayConfiguration.Endpoint(url: try ServiceURL(url))],
            models: [.init(model: ModelID(0), upstream: "u")])
        pool.apiKey = key
        configuration.pools = [pool]
        let directory = try Directory(configuration)
        var text = Array("before|".utf8)
        UpstreamHead.append(
            to: &text, task: task, endpoint: directory.endpoints[0],
            id: RequestID(reactor: 1, slot: 0x2A, generation: 3), instance: 0xBEEF, length: 1234)
        return String(decoding: text, as: UTF8.self)
    }

    @Test func itIsTheseBytesAndNoOthers() throws {
        #expect(
            try head("http://127.0.0.1:8000", .chat)
                == "before|POST /v1/chat/completions HTTP/1.1\r\n"
                + "host: 127.0.0.1:8000\r\nuser-agent: joulegate\r\n"
                + "accept: application/json, text/event-stream\r\n"
                + "content-type: application/json\r\n"
                + "x-request-id: jg-0000beef-010000000300002a\r\n"
                + "content-length: 1234\r\n\r\n")
    }

    @Test func everyDigitOfANameIsRight() {
        var random = RandomSource(seed: 3)
        for round in 0..<500 {
            let (id, instance) = (random.next() >> UInt64(round % 64), random.next())
            var name: [UInt8] = []
            let run = UInt32(truncatingIfNeeded: instance)
            RequestName.append(to: &name, id: RequestID(id), instance: run)
            func hex(_ number: UInt64, _ digits: Int) -> String {
                let text = String(number, radix: 16)
                return String(repeating: "0", count: digits - text.count) + text
            }
            let expected = "jg-\(hex(UInt64(run), 8))-\(hex(id, 16))"
            #expect(String(decoding: name, as: UTF8.self) == expected)
        }
    }

    @Test func thePoolsKeyAndPathAreInIt() throws {
        let text = try head("http://127.0.0.1:8000/engine", key: "secret", .classify)
        #expect(text.hasPrefix("before|POST /engine/classify HTTP/1.1\r\n"))
        #expect(text.contains("\r\nauthorization: Bearer secret\r\n"))
    }
}
