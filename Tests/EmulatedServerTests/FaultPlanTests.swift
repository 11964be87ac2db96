import InferenceTypes
import Testing

@testable import EmulatedServer

@Suite struct FaultPlanTests {
    @Test func everyNameIsUnderstood() {
        for name in Fault.names {
            let bare = name.split { $0 == ":" || $0 == "[" }.first.map { String($0) } ?? ""
            #expect(Fault(bare) != nil, "\(bare)")
            if name.contains(":") { #expect(Fault("\(bare):3") != nil) }
        }
        #expect(Fault("cut-chunked:3") == .cutChunked(events: 3))
        #expect(Fault("slow-header:250") == .slowHeader(milliseconds: 250))
        #expect(Fault("no-done") == .noDone(events: -1))
    }

    @Test(arguments: ["", "cut", "cut-chunked:x", "stall:-1", "stall:1:2", "a@b@c"])
    func nonsenseIsRefused(text: String) {
        #expect(throws: FaultPlan.Unknown.self) { try FaultPlan([text]) }
    }

    @Test func probabilityDecides() throws {
        let plan = try FaultPlan(["status-503@0.25", "comment-pings"])
        var random = RandomSource(seed: 9)
        var struck = 0
        for _ in 0..<2_000 {
            let faults = plan.draw(asked: nil, random: &random)
            #expect(faults.contains(.commentPings))
            if faults.contains(.status(503)) { struck += 1 }
        }
        #expect((400...600).contains(struck))
    }

    @Test func aRequestsOwnFaultsReplaceTheServers() throws {
        let plan = try FaultPlan(["status-503"])
        var random = RandomSource(seed: 1)
        #expect(plan.draw(asked: "none", random: &random) == [])
        #expect(
            plan.draw(asked: "stall:2, multi-token:3", random: &random)
                == [.stall(events: 2), .multiToken(3)])
    }
}
