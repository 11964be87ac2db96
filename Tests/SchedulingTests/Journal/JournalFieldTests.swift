import EnergyModel
import InferenceTypes
import Testing

@testable import Scheduling

/// Counts what is visited.
private struct FieldCounter: FieldCoder {
    typealias Failure = Never
    static let reads = false
    var count = 0

    mutating func integer(_ value: inout Int) { count += 1 }
    mutating func word(_ value: inout UInt64) { count += 1 }
    mutating func number(_ value: inout Double) { count += 1 }
    mutating func flag(_ value: inout Bool) { count += 1 }
    mutating func text(_ value: inout String) { count += 1 }
    mutating func choice<Choice: JournalChoice>(_ value: inout Choice) { count += 1 }
    mutating func length(_ value: inout Int) { count += 1 }

    /// The same count by looking at the value's stored properties: one for each plain value, for
    /// each list's length, for whether an optional is there, and for which case it is.
    static func leaves(of value: Any) -> Int {
        // Says itself what it holds: its bytes, how many marks, and two numbers of each.
        if let prefix = value as? PromptPrefix { return 2 + 2 * prefix.count }
        let mirror = Mirror(reflecting: value)
        let inside = mirror.children.reduce(0) { $0 + leaves(of: $1.value) }
        switch mirror.displayStyle {
        case .struct: return value is String ? 1 : inside
        case .tuple: return inside
        default: return 1 + inside
        }
    }
}

/// Fills in whatever it is shown.
private struct RandomFiller: FieldCoder {
    typealias Failure = Never
    static let reads = true
    var random: RandomSource

    mutating func integer(_ value: inout Int) {
        let bits = random.nextIndex(below: 64)
        value = Int(truncatingIfNeeded: Int64(bitPattern: random.next()) >> Int64(bits))
    }
    mutating func word(_ value: inout UInt64) { value = random.next() }
    mutating func number(_ value: inout Double) { value = random.nextUnit() * 1e9 - 3e8 }
    mutating func flag(_ value: inout Bool) { value = random.nextIndex(below: 4) > 0 }
    mutating func text(_ value: inout String) { value = "판교-\(random.next())" }
    mutating func choice<Choice: JournalChoice>(_ value: inout Choice) {
        let all = Array(Choice.allCases)
        value = all[random.nextIndex(below: all.count)]
    }
    mutating func length(_ value: inout Int) { value = 1 + random.nextIndex(below: 3) }

    /// A value with nothing left at its default.
    static func some<Value: JournalFields>(_: Value.Type, seed: UInt64) -> Value {
        var filler = RandomFiller(random: RandomSource(seed: seed))
        var value = Value.blank
        filler.code(&value)
        return value
    }
}

private func dumped(_ value: Any) -> String {
    var text = ""
    dump(value, to: &text)
    return text
}

@Suite struct JournalFieldTests {
    /// Fails as soon as a stored property is added that the journal does not know.
    private func check<Value: JournalFields>(_ type: Value.Type) throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let value = RandomFiller.some(type, seed: seed)
            var counter = FieldCounter()
            var copy = value
            counter.code(&copy)
            let expected = FieldCounter.leaves(of: value)
            #expect(counter.count == expected, "\(type) has a field that is not visited")
            var writer = FieldWriter()
            writer.code(&copy)
            var reader = FieldReader(writer.bytes)
            let again: Value = try reader.read()
            #expect(reader.isAtEnd)
            #expect(dumped(again) == dumped(value), "\(type), seed \(seed)")
        }
    }

    @Test func everyFieldOfWhatIsToldIsWrittenAndReadBack() throws {
        try check(InferenceRequest.self)
        try check(Scheduler.TokenProgress.self)
        try check(Scheduler.Completion.self)
        try check(Scheduler.ScrapedLoad.self)
        try check(UpstreamFailure.self)
        try check(MeterWindow.self)
        try check(Plan.self)
        try check(PowerLimits.self)
    }

    @Test func everyFieldOfTheHeadIsWrittenAndReadBack() throws {
        try check(JournalHead.self)
        try check(Configuration.self)
        try check(Limits.self)
        try check(Profile.self)
    }

    @Test func everyFieldOfWhatIsDoneIsDigested() throws {
        try check(Placement.self)
        try check(Rejection.self)
        try check(RequestEnergy.self)
        try check(Attribution.self)
    }

    @Test func everyActionHasADigestOfItsOwn() {
        let id = RequestID(7)
        let some = RandomFiller.some(Placement.self, seed: 3)
        let actions: [Action] = [
            .dispatch(id, some), .queue(id), .sleep(EndpointID(7)), .wake(EndpointID(7)),
            .reject(id, RandomFiller.some(Rejection.self, seed: 3)),
            .endpointStateChanged(EndpointID(7), .active),
            .endpointStateChanged(EndpointID(7), .resting),
            .charged(id, RandomFiller.some(RequestEnergy.self, seed: 3)),
            .attributed(id, RandomFiller.some(Attribution.self, seed: 3)),
            .queue(RequestID(8)), .sleep(EndpointID(6)),
        ]
        let digests = actions.map { action in
            var digest = ActionDigest()
            action.digest(into: &digest)
            return digest.short
        }
        #expect(Set(digests).count == actions.count)
    }

    @Test func theLastBitOfAnEstimateChangesTheDigest() {
        var placement = RandomFiller.some(Placement.self, seed: 9)
        var one = ActionDigest()
        Action.dispatch(RequestID(1), placement).digest(into: &one)
        placement.estimate.marginalEnergy.value = placement.estimate.marginalEnergy.value.nextUp
        var two = ActionDigest()
        Action.dispatch(RequestID(1), placement).digest(into: &two)
        #expect(one.short != two.short)
    }

    @Test func marksOfPromptsAreKept() throws {
        var request = RandomFiller.some(InferenceRequest.self, seed: 1)
        request.prefix = PromptPrefix(bytes: 9_000)
        for mark in 1...5 {
            request.prefix.append(.init(hash: UInt64(mark) &* 0x9E37_79B9, bytes: mark * 1_024))
        }
        var writer = FieldWriter()
        writer.code(&request)
        var reader = FieldReader(writer.bytes)
        let again: InferenceRequest = try reader.read()
        #expect(again == request && again.prefix.count == 5 && again.prefix[4].bytes == 5_120)
    }

    @Test func samplesAreFilledToTheLastOptional() {
        let usages = (1...20).map { RandomFiller.some(Usage.self, seed: $0) }
        #expect(usages.contains { $0.cachedInputTokens != nil && $0.inputTokens != nil })
        let tenants = (1...20).map { RandomFiller.some(Configuration.Tenant.self, seed: $0) }
        #expect(tenants.contains { $0.allowedPools == nil })
        #expect(tenants.contains { ($0.allowedPools?.count ?? 0) > 1 })
    }

    private func codes<Choice: JournalChoice>(_: Choice.Type) -> Bool {
        Set(Choice.allCases.map(\.journalCode)).count == Choice.allCases.count
    }

    @Test func noTwoCasesShareANumber() {
        #expect(codes(EngineKind.self) && codes(AcceleratorKind.self))
        #expect(codes(InferenceTask.self) && codes(ServiceClass.self))
        #expect(codes(Provenance.self) && codes(RoutingPolicy.self))
        #expect(codes(Profile.MeterScope.self) && codes(MeterWindow.Kind.self))
        #expect(codes(PowerState.self) && codes(Scheduler.AdministrativeState.self))
        #expect(codes(UpstreamFailure.Phase.self) && codes(Placement.Reason.self))
        #expect(codes(RejectionReason.self) && codes(EndpointCondition.self))
        #expect(codes(JournalEnd.self))
    }

    /// Texts of clients have no way into a journal: what it has of a request are sizes, choices
    /// and numbers.
    @Test func aRequestHoldsNoText() {
        func texts(in value: Any) -> Int {
            value is String || value is [UInt8]
                ? 1 : Mirror(reflecting: value).children.reduce(0) { $0 + texts(in: $1.value) }
        }
        #expect(texts(in: RandomFiller.some(InferenceRequest.self, seed: 1)) == 0)
        #expect(texts(in: RandomFiller.some(Scheduler.Completion.self, seed: 1)) == 0)
        #expect(texts(in: RandomFiller.some(Profile.self, seed: 1)) == 3)
    }
}
