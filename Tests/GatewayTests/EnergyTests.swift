import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// What the gateway is for: the same work for fewer joules.
    @Suite struct EnergyTests {
        private func fixture(_ policy: RoutingPolicy) throws -> GatewayFixture {
            let frugal = FastProfiles.profile(name: "frugal", idle: 5, busy: 100)
            let hungry = FastProfiles.profile(name: "hungry", idle: 5, busy: 600)
            return try GatewayFixture([
                .init(pool: "hungry", profile: hungry), .init(pool: "frugal", profile: frugal),
            ]) { $0.policy = policy }
        }

        /// Forty requests of seeded lengths, four at a time; the joules that they truly took.
        private func joules(_ fixture: GatewayFixture) -> Double {
            var random = RandomSource(seed: 42)
            let lengths = (0..<40).map { _ in 10 + random.nextIndex(below: 40) }
            let before = fixture.trueEnergy()
            let verdicts = Concurrently.map(4) { lane in
                stride(from: lane, to: lengths.count, by: 4).map { index in
                    let streams = index % 2 == 0
                    let answer = fixture.post(
                        Prompts.chat("request \(index)", tokens: lengths[index], streams: streams))
                    return Verdict(
                        answer, streams: streams,
                        reference: Prompts.chatReference(
                            "request \(index)", tokens: lengths[index]))
                }
            }
            #expect(verdicts.flatMap { $0 } == Array(repeating: .complete, count: 40))
            return fixture.trueEnergy() - before
        }

        @Test func energyAwareRoutingTakesFewerJoules() throws {
            let turns = try fixture(.roundRobin)
            defer { turns.stop() }
            let blind = joules(turns)
            let aware = try fixture(.energyAware)
            defer { aware.stop() }
            let seeing = joules(aware)
            #expect(turns.state(0).finished == 20)
            #expect(turns.state(1).finished == 20)
            #expect(aware.state(1).finished == 40)
            #expect(seeing < 0.6 * blind, "\(seeing) J against \(blind) J")
        }

        @Test func trafficLeavesAStoppedServerAndComesBack() throws {
            let fixture = try fixture(.energyAware)
            defer { fixture.stop() }
            func send() -> Bool { fixture.post(Prompts.chat()).status == 200 }
            for _ in 0..<5 { #expect(send()) }
            #expect(fixture.state(1).finished == 5)
            fixture.servers[1].stop()
            for _ in 0..<5 { #expect(send()) }
            #expect(fixture.state(0).finished == 5)
            try fixture.servers[1].start()
            // The ejection lasts five seconds, a tenth more or less; then comes a trial.
            let isBack = Patience.wait(for: .seconds(8)) {
                #expect(send())
                Patience.pause(.milliseconds(100))
                return fixture.state(1).finished > 0
            }
            #expect(isBack)
        }

        @Test func metersShowInTheStatusAndOnTheMetricsPage() throws {
            let profile = FastProfiles.profile(idle: 50, busy: 400)
            let fixture = try GatewayFixture([.init(profile: profile, hasMeter: true)]) {
                $0.scrapes.interval = .milliseconds(50)
            }
            defer { fixture.stop() }
            let isRead = Patience.wait(for: .seconds(5)) {
                fixture.gateway.status().pools[0].power == Watts(50)
            }
            #expect(isRead)
            let first = fixture.gateway.status().pools[0].meteredEnergy ?? .zero
            #expect(fixture.post(Prompts.chat(tokens: 200)).status == 200)
            let grew = Patience.wait(for: .seconds(5)) {
                // 200 ms at 400 W.
                let now = fixture.gateway.status().pools[0].meteredEnergy ?? .zero
                return (now - first).value > 60
            }
            #expect(grew)
            let page = RawClient.get(fixture.adminPort, "/metrics").text
            #expect(page.contains("joulegate_power_watts{pool=\"pool-0\",meter=\"meter-0\""))
        }
    }
}
