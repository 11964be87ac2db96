import InferenceTypes
import Testing

@testable import Simulation

@Suite struct ConversationTests {
    private func workload(_ rate: Double = 1, seconds: Double = 120, seed: UInt64 = 1) -> Workload {
        var workload = Workload()
        var random = RandomSource(seed: seed)
        let answers = [40, 120, 200].map {
            TraceRow(arrival: .zero, inputTokens: 1, outputTokens: $0)
        }
        workload.add(
            Workload.Service(name: "conversations"), Conversations(rate: rate), answers: answers,
            length: TimeSpan(seconds: seconds), random: &random)
        return workload
    }

    private func run(_ director: Director, _ workload: Workload) -> RunRecord {
        Simulator(
            workload: workload, fleet: TestProfile.fleet(4), director: director, seed: 1
        ).run(until: workload.horizon)
    }

    private func director(_ policy: RoutingPolicy) -> Director {
        Director(name: policy.rawValue, policy: policy)
    }

    @Test func everyTurnRepeatsTheOnesBeforeIt() {
        let workload = workload()
        var last: [UInt64: SharedPrompt] = [:]
        var turns = 0
        for arrival in workload.arrivals {
            guard let index = arrival.prompt else {
                Issue.record("an arrival without a prompt")
                continue
            }
            let prompt = workload.prompts[index]
            #expect(prompt.prefix.bytes == arrival.inputTokens * PromptWriter.bytesPerToken)
            if let before = last[prompt.session] {
                turns += 1
                let end = before.prefix[before.prefix.count - 1]
                let marks = (0..<prompt.prefix.count).map { prompt.prefix[$0] }
                #expect(marks.contains(end))
                // But for the block in which the answer ends.
                #expect(prompt.blocks.starts(with: before.blocks.dropLast()))
            }
            last[prompt.session] = prompt
        }
        #expect(turns > 100 && last.count > 50)
    }

    @Test func cachedTokensAreNeverMoreThanThePrompt() {
        let record = run(director(.energyAware), workload())
        #expect(record.finished.count == record.outcomes.count)
        #expect(record.outcomes.allSatisfy { $0.cachedTokens < $0.inputTokens })
        #expect(record.cachedShare > 0.3)
    }

    @Test func knowingWhoHasWhatCostsLessThanNotKnowing() {
        let workload = workload(3, seconds: 240)
        let aware = run(director(.energyAware), workload)
        let blind = run(.withoutAffinity, workload)
        #expect(aware.attainment(workload.services) >= 0.99)
        #expect(aware.cachedShare > blind.cachedShare)
        #expect(aware.energy.total < blind.energy.total)
        for policy in [RoutingPolicy.cacheAware, .consistentHash, .leastRequests, .roundRobin] {
            #expect(aware.energy.total < run(director(policy), workload).energy.total)
        }
    }

    @Test func theBaselinesFindMoreThanThoseThatDoNotLook() {
        let workload = workload(3, seconds: 240)
        let blind = run(director(.roundRobin), workload).cachedShare
        #expect(run(director(.cacheAware), workload).cachedShare > blind)
        #expect(run(director(.consistentHash), workload).cachedShare > blind)
    }

    @Test func theSameSeedGivesTheSameConversations() {
        let one = workload(seed: 5)
        #expect(one.arrivals == workload(seed: 5).arrivals)
        #expect(one.prompts == workload(seed: 5).prompts)
        #expect(one.arrivals != workload(seed: 6).arrivals)
        let record = run(director(.energyAware), one)
        #expect(record.outcomes == run(director(.energyAware), one).outcomes)
    }
}
