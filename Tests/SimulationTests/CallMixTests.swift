import InferenceTypes
import Testing

@testable import Simulation

struct CallMixTests {
    private func rows(_ count: Int) -> [TraceRow] {
        (0..<count).map {
            TraceRow(
                arrival: .milliseconds(Int64($0) * 100), inputTokens: 1_000, outputTokens: 200)
        }
    }

    private func mixed(bulkShare: Double, seed: UInt64 = 4) -> Workload {
        let fleet = TestProfile.fleet(2)
        var workload = Workload()
        workload.add(
            .init(name: "chat", tenant: TenantID(0), model: ModelID(0)), rows: rows(300),
            speed: 1, length: .seconds(60))
        var mix = CallMix(summaries: rows(3))
        mix.bulkShare = bulkShare
        var random = RandomSource(seed: seed)
        mix.add(
            to: &workload, model: ModelID(0), tenant: 1, fleet: fleet, seconds: 60,
            random: &random)
        return workload
    }

    /// Seconds of the whole fleet that a service asks for.
    private func work(_ name: String, _ workload: Workload) -> Double {
        let speed = EngineSpeed(TestProfile.fleet(2), model: ModelID(0))
        return workload.arrivals.filter { workload.services[$0.service].name == name }.reduce(0) {
            $0 + speed.share($1.inputTokens, $1.outputTokens)
        }
    }

    @Test func bulkAsksForItsShareOfWhatPromisedServicesLeave() {
        let workload = mixed(bulkShare: 0.5)
        let promised = work("chat", workload) + work("summary", workload)
        let spare = max(60 - promised, 0) * 0.5
        // The last note goes beyond, by itself at most.
        let notes = work("notes", workload)
        #expect(notes >= spare * 0.9 && notes <= spare * 0.9 + 60)
        #expect((work("spam", workload) / (spare * 0.1) - 1).magnitude < 0.05)
        #expect(mixed(bulkShare: 0).services.map(\.name).contains("notes"))
        #expect(work("notes", mixed(bulkShare: 0)) == 0)
    }

    @Test func servicesAreTenantsOfTheirOwnAndBulkPromisesNothing() {
        let services = mixed(bulkShare: 0.5).services
        #expect(services.map(\.name) == ["chat", "summary", "notes", "spam"])
        #expect(Set(services.map(\.tenant)).count == 4)
        #expect(services[2].serviceClass == .bulk && services[3].serviceClass == .bulk)
        #expect(services[2].objective == LatencyObjective())
        #expect(services[1].objective.timeToFirstToken == .seconds(2))
    }

    @Test func theSameSeedAsksForTheSame() {
        let one = mixed(bulkShare: 0.3, seed: 9).arrivals
        let other = mixed(bulkShare: 0.3, seed: 9).arrivals
        #expect(one.map(\.at) == other.map(\.at))
        #expect(one.map(\.inputTokens) == other.map(\.inputTokens))
        #expect(one.map(\.at) == one.map(\.at).sorted())
    }

    @Test func aTraceIsSplitByWhatEachModelsEndpointsCarry() {
        var fleet = TestProfile.fleet(3)
        var second = TestProfile.fleet(1).pools[0]
        second.models = [ModelID(1)]
        fleet.pools.append(second)
        let parts = ModelShares(fleet, models: 3).split(rows(400))
        #expect(parts.map(\.count) == [300, 100, 0])
        #expect(parts[0].map(\.arrival) == parts[0].map(\.arrival).sorted())
    }

    @Test func lengthsAreReadOrNamedAsWrong() throws {
        #expect(throws: TraceError.self) { try TraceFile.loadLengths(path: "/nowhere.csv") }
        #expect(throws: TraceError.self) { try TraceFile.loadLengths(path: #filePath) }
    }
}
