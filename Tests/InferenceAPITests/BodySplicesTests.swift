import InferenceTypes
import Testing

@testable import InferenceAPI

func spliced(
    _ request: ParsedRequest, _ body: [UInt8], model: String?, injectUsage: Bool
) -> [UInt8] {
    body.withUnsafeBytes { body in
        let splices = request.splices(
            body: body, upstreamModel: model, injectUsage: injectUsage)
        var edited: [UInt8] = []
        splices.append(body: body, to: &edited)
        #expect(edited.count == splices.length(bodyCount: body.count))
        #expect(!splices.isEmpty || edited.elementsEqual(body))
        return edited
    }
}

struct BodySplicesTests {
    private func edit(
        _ text: String, task: InferenceTask = .chat, model: String? = nil,
        injectUsage: Bool = false
    ) throws -> String {
        let request = try parsed(text, task: task, defaultModel: "d").get()
        let edited = spliced(
            request, Array(text.utf8), model: model, injectUsage: injectUsage)
        return String(decoding: edited, as: UTF8.self)
    }

    @Test func leavesTheBodyAloneWhereItCan() throws {
        let body = chat(#""stream":true,"stream_options":{"include_usage":true}"#)
        #expect(try edit(body, model: "m", injectUsage: true) == body)
        #expect(try edit(body) == body)
        // Not a stream: model servers refuse stream options there.
        #expect(try edit(chat(""), injectUsage: true) == chat(""))
        let responses = #"{"model":"m","input":"a","stream":true}"#
        #expect(try edit(responses, task: .responses, injectUsage: true) == responses)
    }

    @Test func replacesTheModel() throws {
        let edited = try edit(#" {"x":1.0e0, "model" : "a\u0062" ,"input":[]} "#,
            task: .embedding, model: "q\"\n/é")
        #expect(edited == #" {"x":1.0e0, "model" : "q\"\n/é" ,"input":[]} "#)
        #expect(try edit(#"{"model":"ab"}"#, task: .score, model: "ab") == #"{"model":"ab"}"#)
        #expect(
            try edit("{\"model\":\"\u{E9}\"}", task: .score, model: "e\u{301}").utf8
                .elementsEqual("{\"model\":\"e\u{301}\"}".utf8))
    }

    @Test func insertsTheModelWhereThereIsNone() throws {
        #expect(try edit("{}", task: .score) == #"{"model":"d"}"#)
        #expect(try edit(" { } ", task: .score, model: "u") == #" {"model":"u" } "#)
        #expect(try edit(#"{"model":null}"#, task: .score) == #"{"model":"d"}"#)
        #expect(
            try edit(#"{ "query":"a"}"#, task: .score, model: "u")
                == #"{"model":"u", "query":"a"}"#)
    }

    static let options = [
        "", #","stream_options":null"#, #","stream_options":{}"#, #","stream_options":{ }"#,
        #","stream_options":{"include_usage":false}"#,
        #","stream_options":{"include_usage":null}"#,
        #","stream_options":{"include\u005fusage":false,"x":1}"#,
        #","stream_options":{"continuous_usage_stats":true}"#,
        #", "stream_options" : { "x" : [1] , "include_usage" : false } "#,
    ]

    @Test(arguments: options) func makesAStreamEndWithItsUsage(_ options: String) throws {
        for task in [InferenceTask.chat, .completion] {
            for model in [nil, "other", "a much longer name than before"] {
                for named in [#""model":"m","#, #""model":null,"#, ""] {
                    let body =
                        "{\(named)\"messages\":[{\"content\":\"x\"}],\"stream\":true\(options)}"
                    let edited = try edit(body, task: task, model: model, injectUsage: true)
                    let request = try parsed(edited, task: task).get()
                    #expect(request.clientWantsUsage && request.streams, "\(edited)")
                    #expect(
                        request.model == model ?? (named.contains("m\",") ? "m" : "d"),
                        "\(edited)")
                    #expect(request.promptBytes == 1)
                }
            }
        }
    }

    @Test func keepsTheOtherStreamOptions() throws {
        let body = chat(#""stream":true,"stream_options":{"x":1}"#)
        #expect(
            try edit(body, injectUsage: true).contains(
                #""stream_options":{"include_usage":true,"x":1}"#))
    }

    @Test func editsInOrderWhicheverComesFirst() throws {
        let body =
            #"{"stream_options":{"include_usage":false},"stream":true,"#
            + #""messages":[{}],"model":"m"}"#
        #expect(
            try edit(body, model: "u", injectUsage: true)
                == #"{"stream_options":{"include_usage":true},"stream":true,"#
                + #""messages":[{}],"model":"u"}"#)
    }
}
