import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    @Suite struct AdminTests {
        private func pair(
            _ change: (inout GatewayConfiguration) -> Void = { _ in }
        ) throws -> GatewayFixture {
            try GatewayFixture([.init(), .init()]) { configuration in
                configuration.policy = .roundRobin
                change(&configuration)
            }
        }

        @Test func aDrainedWorkerGetsNothingUntilItIsActiveAgain() throws {
            let fixture = try pair()
            defer { fixture.stop() }
            let drained = RawClient.post(
                fixture.adminPort, "/workers/0", "{\"state\":\"draining\"}")
            #expect(drained.status == 200)
            for _ in 0..<4 { #expect(fixture.post(Prompts.chat()).status == 200) }
            #expect(fixture.state(0).finished == 0)
            #expect(fixture.state(1).finished == 4)
            #expect(fixture.gateway.status().pools.map(\.usable) == [0, 1])
            #expect(fixture.admin("/workers/0")["state"] as? String == "draining")
            _ = RawClient.post(fixture.adminPort, "/workers/0", "{\"state\":\"active\"}")
            for _ in 0..<4 { #expect(fixture.post(Prompts.chat()).status == 200) }
            #expect(fixture.state(0).finished == 2)
        }

        @Test func aDrainedWorkerFinishesWhatItRuns() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let client = try fixture.client()
            client.request("POST", "/v1/chat/completions", Prompts.chat(tokens: 200, streams: true))
            _ = client.response(until: "\"content\":\"«")
            _ = RawClient.post(fixture.adminPort, "/workers/0", "{\"state\":\"draining\"}")
            #expect(fixture.post(Prompts.chat()).status == 503)
            let verdict = Verdict(
                client.response(), streams: true,
                reference: Prompts.chatReference(tokens: 200))
            #expect(verdict == .complete)
        }

        @Test func thePolicyChangesWithTheNextRequest() throws {
            let fixture = try pair()
            defer { fixture.stop() }
            let changed = RawClient.post(
                fixture.adminPort, "/policy", "{\"policy\":\"energy-aware\"}")
            #expect(changed.status == 200)
            #expect(fixture.admin("/status")["policy"] as? String == "energy_aware")
            let wrong = RawClient.post(fixture.adminPort, "/policy", "{\"policy\":\"best\"}")
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("round_robin"))
            fixture.gateway.setPolicy(.leastLoad)
            let isSet = Patience.wait(for: .seconds(1)) {
                fixture.gateway.status().policy == .leastLoad
            }
            #expect(isSet)
        }

        @Test func aPowerLimitIsSetAndLiftedWhileRunning() throws {
            let fixture = try pair()
            defer { fixture.stop() }
            let port = fixture.adminPort
            #expect((fixture.admin("/power")["accounts"] as? [Any])?.isEmpty == true)
            let set = RawClient.post(
                port, "/power", #"{"total_power_limit_watts": 1, "pools": {"pool-0": 900}}"#)
            #expect(set.status == 200)
            let accounts = fixture.admin("/power")["accounts"] as? [[String: Any]]
            #expect(accounts?.map { $0["name"] as? String } == ["site", "pool-0"])
            #expect(accounts?.map { $0["limit_watts"] as? Double } == [1, 900])
            #expect(MetricsPage(fixture).sum("joulegate_power_pressure_ratio") == 1)
            #expect(
                MetricsPage(fixture).sum("joulegate_power_limit_watts", ["account": "site"]) == 1)
            let lifted = RawClient.post(
                port, "/power", #"{"total_power_limit_watts": null, "pools": {"pool-0": null}}"#)
            #expect(lifted.status == 200)
            #expect(fixture.post(Prompts.chat()).status == 200)
            for wrong in [
                #"{"total_power_limit_watts": 0}"#, #"{"total_power_limit_watts": true}"#,
                #"{"pools": {"absent": 5}}"#, #"{"pools": 5}"#, #"{"watts": 5}"#, "watts", "{}",
            ] {
                #expect(RawClient.post(port, "/power", wrong).status == 400, "\(wrong)")
            }
        }

        @Test func wrongQuestionsAreAnswered() throws {
            let fixture = try pair()
            defer { fixture.stop() }
            let port = fixture.adminPort
            #expect(RawClient.get(port, "/workers/7").status == 404)
            #expect(RawClient.get(port, "/workers/-1").status == 404)
            #expect(RawClient.get(port, "/workers/x").status == 404)
            #expect(RawClient.get(port, "/nothing").status == 404)
            #expect(RawClient.post(port, "/workers/0", "not json").status == 400)
            #expect(RawClient.post(port, "/workers/0", "{\"state\":\"asleep\"}").status == 400)
            #expect(RawClient.post(port, "/policy", "").status == 400)
            for path in ["/workers", "/status", "/metrics", "/policy", "/workers/0"] {
                #expect(RawClient.get(fixture.port, path).status == 404, "\(path)")
            }
        }

        @Test func theMetricsPageParsesAndCounts() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            for index in 0..<6 {
                let answer = fixture.post(Prompts.chat(tokens: 10, streams: index % 2 == 0))
                #expect(answer.status == 200)
            }
            #expect(fixture.post("not json").status == 400)
            #expect(fixture.post(Prompts.chat(model: "absent")).status == 404)
            let page = MetricsPage(fixture)
            #expect(page.summary.malformedLines == 0)
            #expect(page.sum("joulegate_requests_total", ["status": "200"]) == 6)
            #expect(page.sum("joulegate_requests_total", ["status": "400"]) == 1)
            #expect(page.sum("joulegate_requests_total", ["status": "404"]) == 1)
            #expect(page.sum("joulegate_request_duration_seconds_count") == 8)
            #expect(page.sum("joulegate_ttft_seconds_count", ["pool": "pool-0"]) == 3)
            #expect(page.sum("joulegate_tokens_total", ["token_type": "output"]) == 60)
            #expect(page.sum("joulegate_inter_token_latency_seconds_count") > 0)
            #expect(page.sum("joulegate_predicted_joules_total", ["pool": "pool-0"]) > 0)
            #expect(page.sum("joulegate_overhead_seconds_count") == 6)
            #expect(page.sum("joulegate_endpoint_up", ["pool": "pool-0"]) == 1)
            #expect(page.sum("joulegate_requests_in_flight") == 0)
            #expect(page.sum("joulegate_build_info") == 1)
        }

        /// One count per request on every surface that has one.
        @Test func aRefusedRequestIsCountedOnce() throws {
            let fixture = try GatewayFixture()
            defer { fixture.stop() }
            let before = fixture.gateway.status().requests
            for _ in 0..<3 { #expect(fixture.post("not json").status == 400) }
            #expect(fixture.post(Prompts.chat()).status == 200)
            #expect(fixture.gateway.status().requests - before == 4)
            fixture.servers[0].stop()
            let errors = fixture.gateway.status().errors
            #expect(fixture.post(Prompts.chat()).status == 502)
            #expect(fixture.gateway.status().errors - errors == 1)
        }

        @Test func anAttemptsFailureIsCountedUnderItsCause() throws {
            let fixture = try GatewayFixture([.init(faults: ["status-500"]), .init()]) {
                $0.policy = .roundRobin
            }
            defer { fixture.stop() }
            for _ in 0..<2 { #expect(fixture.post(Prompts.chat()).status == 200) }
            let page = MetricsPage(fixture)
            let errors = page.sum(
                "joulegate_upstream_errors_total", ["pool": "pool-0", "cause": "status"])
            #expect(errors >= 1)
            #expect(page.sum("joulegate_retries_total", ["cause": "status"]) == errors)
            #expect(page.sum("joulegate_requests_total", ["status": "200"]) == 2)
        }

        @Test func theAdminKeyGuardsAllButHealth() throws {
            let digest = try KeyRingTests.keyDigest(of: "admin-secret")
            let fixture = try pair { $0.admin.apiKeySHA256 = digest }
            defer { fixture.stop() }
            let port = fixture.adminPort
            for path in ["/metrics", "/workers", "/status", "/", "/nothing"] {
                #expect(RawClient.get(port, path).status == 401, "\(path)")
                let wrong = ["authorization": "Bearer wrong"]
                #expect(RawClient.get(port, path, fields: wrong).status == 401, "\(path)")
            }
            #expect(RawClient.post(port, "/policy", "{\"policy\":\"random\"}").status == 401)
            #expect(RawClient.get(port, "/health").status == 200)
            #expect(RawClient.get(port, "/liveness").status == 200)
            let right = ["authorization": "Bearer admin-secret"]
            #expect(RawClient.get(port, "/metrics", fields: right).status == 200)
            #expect(fixture.gateway.status().policy == .roundRobin)
        }
    }
}
