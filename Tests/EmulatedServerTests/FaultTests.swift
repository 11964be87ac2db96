import EmulatedEngine
import InferenceTypes
import Testing

@testable import EmulatedServer

/// What each fault does to a stream of twenty tokens, and to a unary answer.
@Suite struct FaultTests {
    private func stream(
        _ fault: String, kind: EngineKind = .vllm, tokens: Int = 20
    ) throws -> ServiceRig.Answer {
        var rig = try ServiceRig(kind)
        let usage = ",\"stream_options\":{\"include_usage\":true}"
        let body = Bodies.chat(
            extra: ",\"max_tokens\":\(tokens),\"emulated_fault\":\"\(fault)\"\(usage)")
        return rig.answer("/v1/chat/completions", body)
    }

    private func unary(_ fault: String) throws -> ServiceRig.Answer {
        var rig = try ServiceRig()
        return rig.answer(
            "/v1/chat/completions", Bodies.chat(stream: false, extra: ",\"max_tokens\":20"),
            fault: fault)
    }

    private func text(_ tokens: Int) -> String {
        EmulatedText.text(for: Bodies.key(), tokens: 0..<tokens)
    }

    @Test(arguments: ["cut-chunked:7", "cut-close:7", "garbage-chunk:7", "partial-event:7"])
    func cutsLeaveExactlySoManyTokens(fault: String) throws {
        let answer = try stream(fault)
        #expect(answer.isAborted && !answer.isFinished)
        // Half an event more in the last case: no blank line after it.
        let whole = answer.body.split(separator: "\n\n", omittingEmptySubsequences: false)
        let text = whole.dropLast().map { ServiceRig.Answer.content(of: String($0)) }.joined()
        #expect(text == self.text(7))
        #expect((whole.last?.isEmpty == false) == (fault == "partial-event:7"))
        #expect((answer.framing == .close) == (fault == "cut-close:7"))
        #expect((answer.framing == .handMadeChunks) == (fault == "garbage-chunk:7"))
        #expect(answer.raw.isEmpty == (fault != "garbage-chunk:7"))
    }

    @Test func errorEventsEndAsTheirDialectDoes() throws {
        let vllm = try stream("error-vllm:4")
        #expect(vllm.events.count == 1 + 4 + 2)
        #expect(vllm.events[5].contains("\"type\":\"InternalServerError\""))
        #expect(vllm.events[6] == "[DONE]")
        let llama = try stream("error-llama:4", kind: .llamaServer)
        #expect(llama.events.count == 1 + 4 + 1)
        #expect(llama.events[5].hasPrefix("{\"error\":{\"code\":500"))
        #expect(vllm.isFinished && llama.isFinished)
        #expect(llama.text == text(4))
    }

    @Test func faultsAtTheEndStrikeBeforeTheFinishChunk() throws {
        let answer = try stream("cut-chunked:20")
        #expect(answer.isAborted)
        #expect(answer.text == text(20))
        #expect(!answer.body.contains("\"finish_reason\":\"length\""))
        #expect(try stream("cut-chunked:21").events.last == "[DONE]")
    }

    @Test func endsWithoutDone() throws {
        let early = try stream("no-done:5")
        #expect(early.isFinished && early.text == text(5))
        #expect(!early.body.contains("[DONE]"))
        let late = try stream("no-done")
        #expect(late.isFinished && late.text == text(20))
        #expect(!late.body.contains("[DONE]") && late.body.contains("\"usage\""))
    }

    @Test func stallKeepsTheConnection() throws {
        let answer = try stream("stall:3")
        #expect(!answer.isFinished && !answer.isAborted)
        #expect(answer.text == text(3))
        let unary = try unary("stall")
        #expect(unary.status == 0 && !unary.isAborted)
    }

    @Test func harmlessOddities() throws {
        let pings = try stream("comment-pings")
        #expect(pings.text == text(20) && pings.body.contains(": ping\n\ndata: "))
        let many = try stream("multi-token:6")
        // 6 + 6 + 6 + 2, with role, finish, usage and [DONE].
        #expect(many.text == text(20) && many.events.count == 4 + 4)
        let missing = try stream("missing-usage")
        #expect(missing.events.last == "[DONE]" && !missing.body.contains("\"usage\""))
    }

    @Test func statusesComeInTheDialect() throws {
        let answer = try stream("status-503")
        #expect(answer.status == 503 && answer.isFinished)
        #expect(answer.body.contains("\"type\":\"ServiceUnavailableError\",\"param\":null"))
        #expect(answer.body.contains("\"code\":503"))
        #expect(try stream("status-429").status == 429)
        #expect(try stream("status-500", kind: .llamaServer).status == 500)
    }

    @Test func closesBeforeTheHead() throws {
        let answer = try stream("close-before-headers")
        #expect(answer.status == 0 && answer.isAborted)
    }

    @Test func slowHeaderPutsTheStartOff() throws {
        var rig = try ServiceRig()
        let id = rig.send("/v1/chat/completions", Bodies.chat(), fault: "slow-header:300")
        rig.run(for: .milliseconds(299))
        #expect(rig.answers[id] == nil)
        rig.run(for: .milliseconds(2))
        #expect(rig.answers[id]?.status == 200)
        rig.run()
        #expect(rig.answers[id]?.events.last == "[DONE]")
    }

    @Test func unaryAnswersBreakHalfWay() throws {
        let whole = try unary("none")
        let cut = try unary("unary-cut")
        #expect(cut.framing == .length(whole.body.utf8.count))
        #expect(cut.isAborted && cut.body.utf8.count == whole.body.utf8.count / 2)
        #expect(try unary("cut-chunked:1").framing == .chunked)
        #expect(try unary("cut-close:1").framing == .close)
        #expect(try unary("error-vllm:1").status == 500)
        let close = try unary("keepalive-close:20")
        #expect(close.body == whole.body && close.isAborted && !close.announcesClose)
    }

    @Test func everyNthAnswerCloses() throws {
        var rig = try ServiceRig(faults: ["max-requests:3"])
        for count in 1...6 {
            let answer = rig.answer("/v1/embeddings", "{\"input\":\"a\"}")
            #expect(answer.announcesClose == (count % 3 == 0))
        }
    }

    @Test func nothingLeaksAfterFaults() throws {
        for name in Fault.names where !name.hasPrefix("stall") {
            let bare = name.split { $0 == ":" || $0 == "[" }.first.map { String($0) } ?? ""
            for isStream in [true, false] {
                var rig = try ServiceRig(faults: [bare])
                _ = rig.answer("/v1/chat/completions", Bodies.chat(stream: isStream))
                #expect(rig.service.openExchanges == 0, "\(bare)")
                #expect(rig.service.owners.isEmpty, "\(bare)")
                #expect(rig.service.engine.running == 0, "\(bare)")
            }
        }
    }
}
