import Configuration
import Foundation
import InferenceTypes

@testable import Gateway

/// A gateway that batches in front of one or more scripted classifiers.
struct ClassifierBench {
    let fixture: GatewayFixture
    let servers: [ScriptedServer]

    static func run(
        servers count: Int = 1, _ change: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: (ClassifierBench) throws -> Void
    ) throws {
        let servers = try (0..<count).map { _ in
            try ScriptedServer(ScriptedServer.Script(pieces: [], ending: .keep))
        }
        defer { for server in servers { server.stop() } }
        let fixture = try GatewayFixture { configuration in
            configuration.threads = 1
            configuration.pools[0].endpoints = servers.map { server in
                GatewayConfiguration.Endpoint(
                    url: ServiceURL(scheme: .http, host: "127.0.0.1", port: Int(server.port)))
            }
            configuration.models[0].task = .classify
            configuration.models[0].batching = GatewayConfiguration.DynamicBatching()
            change(&configuration)
        }
        defer { fixture.stop() }
        try body(ClassifierBench(fixture: fixture, servers: servers))
    }

    var server: ScriptedServer { servers[0] }
    /// POST requests that came upstream, at all servers.
    var upstreamCount: Int { servers.reduce(0) { $0 + $1.requests.count } }

    static func http(_ status: Int, _ body: String) -> String {
        "HTTP/1.1 \(status) X\r\ncontent-type: application/json\r\n"
            + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The texts of an upstream request.
    static func texts(_ request: String) -> [String] {
        guard let body = request.firstRange(of: "\r\n\r\n") else { return [] }
        return JSONText.object(Array(request[body.upperBound...].utf8))["input"] as? [String] ?? []
    }

    /// A sound answer: each text's own bytes as its label, a token for each text.
    static func verdicts(_ texts: [String]) -> String {
        let entries = texts.enumerated().map { index, text in
            "{\"index\":\(index),\"label\":\"\(text)\",\"probs\":[0.5,0.5],\"num_classes\":2}"
        }
        return http(
            200,
            "{\"data\":[\(entries.joined(separator: ","))],"
                + "\"usage\":{\"prompt_tokens\":\(texts.count)}}")
    }

    func classify(_ texts: [String], fields: [String: String] = [:]) -> RawResponse {
        let list = texts.map { "\"\($0)\"" }.joined(separator: ",")
        return fixture.post(
            "{\"model\":\"test-model\",\"input\":[\(list)]}", to: "/v1/classify",
            fields: fields)
    }

    static func entries(_ response: RawResponse) -> [[String: Any]] {
        JSONText.object(response.body)["data"] as? [[String: Any]] ?? []
    }

    static func labels(_ response: RawResponse) -> [String] {
        entries(response).map { $0["label"] as? String ?? "-" }
    }

    static func error(_ response: RawResponse) -> [String: Any] {
        JSONText.object(response.body)["error"] as? [String: Any] ?? [:]
    }
}
