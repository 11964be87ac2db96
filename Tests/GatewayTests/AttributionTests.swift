import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Energy from an exporter's page to the client that asks and the operator who reads.
    @Suite struct AttributionTests {
        private func fixture() throws -> GatewayFixture {
            let profile = FastProfiles.profile(idle: 50, busy: 400)
            return try GatewayFixture([.init(profile: profile, hasMeter: true)]) {
                $0.scrapes.interval = .milliseconds(100)
            }
        }

        private let asks = ["x-joulegate-energy": "true"]

        @Test func anAnswerSaysWhatItHasCostIfItsClientAsks() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let plain = JSONText.object(fixture.post(Prompts.chat(tokens: 50)).body)
            #expect(plain["energy"] == nil && plain["choices"] != nil)
            let answer = fixture.post(Prompts.chat(tokens: 50), fields: asks)
            let object = JSONText.object(answer.body)
            #expect(object["choices"] != nil && object["usage"] != nil)
            let energy = try #require(object["energy"] as? [String: Any])
            let total = try #require(energy["joules"] as? Double)
            let marginal = try #require(energy["joules_marginal"] as? Double)
            #expect(marginal > 0 && total > marginal && total < 1_000)
            #expect(energy["scope"] as? String == "accelerator")
            #expect(energy["estimated"] as? Bool == true)
            #expect(["measured", "modelled", "assumed"].contains(energy["provenance"] as? String))
        }

        @Test func aStreamSaysSoInACommentBeforeItsEnd() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let plain = fixture.post(Prompts.chat(tokens: 20, streams: true))
            #expect(!plain.text.contains(": energy"))
            let asked = fixture.post(Prompts.chat(tokens: 20, streams: true), fields: asks)
            #expect(
                Verdict(asked, streams: true, reference: Prompts.chatReference(tokens: 20))
                    == .complete)
            let blocks = asked.text.split(separator: "\n\n")
            let comment = try #require(blocks.dropLast().last)
            #expect(comment.hasPrefix(": energy {\"joules\":"))
            #expect(blocks.last == "data: [DONE]")
            let words = comment.dropFirst(": energy ".count)
            #expect(JSONText.object(Array(words.utf8))["joules_marginal"] is Double)
        }

        @Test func refusedRequestsAndErrorsAreNotHeldUpByTheQuestion() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let wrong = fixture.post(Prompts.chat(model: "nobody"), fields: asks)
            #expect(wrong.status == 404)
            let broken = fixture.post(
                Prompts.chat(extra: Prompts.fault("status-500")), fields: asks)
            #expect(broken.status >= 500)
            #expect(fixture.post(Prompts.chat(), fields: asks).status == 200)
        }

        @Test func theBooksBalanceAndAgreeWithTheModelServer() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            for _ in 0..<8 {
                #expect(fixture.post(Prompts.chat(tokens: 400)).status == 200)
            }
            let isClosed = Patience.wait(for: .seconds(15)) {
                let meters = fixture.admin("/energy")["meters"] as? [[String: Any]] ?? []
                return (meters.first?["windows"] as? Int ?? 0) >= 2
            }
            #expect(isClosed)
            let page = fixture.admin("/energy")
            #expect(page["balanced"] as? Bool == true)
            let meter = try #require((page["meters"] as? [[String: Any]])?.first)
            let books = try #require(meter["microjoules"] as? [String: Int])
            let parts = ["requests", "idle", "unexplained"].compactMap { books[$0] }
            #expect(parts.count == 3 && parts.reduce(0, +) == books["total"])
            #expect(meter["state"] as? String == "live")
            #expect((books["requests"] ?? 0) > 0 && (books["idle"] ?? 0) > 0)
            let tenants = try #require(page["tenants"] as? [[String: Any]])
            #expect(tenants.first?["name"] as? String == "anonymous")
            #expect(tenants.first?["requests"] as? Int == 8)
            let charged = try #require(tenants.first?["joules_marginal"] as? Double)
            #expect((charged * 1e6 - Double(books["requests"] ?? 0)).magnitude < 1)
            #expect(fixture.state().finished == 8)
            // 8 x 400 steps of 1 ms at 350 W above idle.
            #expect((charged - 1_120).magnitude < 112, "\(charged) J")
            let metrics = RawClient.get(fixture.adminPort, "/metrics").text
            #expect(
                metrics.contains(
                    "joulegate_energy_joules_total{pool=\"pool-0\",model=\"test-model\","
                        + "tenant=\"anonymous\",kind=\"request\",provenance=\"measured\"}"))
            #expect(metrics.contains("kind=\"idle\""))
        }
    }
}
