import InferenceTypes
import Testing

@Suite struct NounTests {
    @Test func classesAreOrderedByUrgency() {
        #expect(ServiceClass.allCases.sorted() == [.system, .interactive, .default, .bulk])
        #expect(ServiceClass.allCases.map(\.rank) == [0, 1, 2, 3])
    }

    @Test func policiesAcceptHyphens() {
        #expect(RoutingPolicy(name: "energy-aware") == .energyAware)
        #expect(RoutingPolicy(name: "power_of_two") == .powerOfTwo)
        #expect(RoutingPolicy(name: "Energy_aware") == nil)
        #expect(RoutingPolicy(name: "") == nil)
    }

    @Test("a task's ordinal is its place among the cases")
    func taskOrdinals() {
        #expect(InferenceTask.allCases.map(\.ordinal) == Array(InferenceTask.allCases.indices))
    }

    @Test func onlySomeTasksGenerate() {
        let generating = InferenceTask.allCases.filter(\.generates)
        #expect(generating == [.chat, .completion, .responses])
    }

    @Test func usageIsUnknownUntilTold() {
        #expect(Usage().inputTokens == nil)
        #expect(Usage().outputTokens == nil)
        #expect(Usage().cachedInputTokens == nil)
    }

    @Test func anonymousIsNoTenantOfTheTable() {
        #expect(TenantID.anonymous < TenantID(0))
    }

    @Test func limitsHangTogether() {
        let limits = Limits()
        #expect(limits.upstreamIdleTimeout < .seconds(5))
        #expect(limits.upstreamFirstByteTimeout <= limits.upstreamTotalTimeout)
        #expect(limits.attempts >= 1)
        #expect(limits.unaryBufferBytes >= limits.streamBufferBytes)
    }

    @Test func mathematicsIsTheLibrarys() {
        #expect(Mathematics.log2(8) == 3)
        #expect(Mathematics.exp(0) == 1)
        #expect(Mathematics.pow(2, 10) == 1024)
        #expect(abs(Mathematics.log(Mathematics.exp(1)) - 1) < 1e-15)
    }
}
