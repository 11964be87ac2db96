import InferenceTypes

@testable import InferenceAPI

func withBytes<Result>(
    _ text: String, _ body: (UnsafeRawBufferPointer) -> Result
) -> Result {
    Array(text.utf8).withUnsafeBytes(body)
}

func parsed(
    _ bytes: [UInt8], task: InferenceTask = .chat, limits: Limits = Limits(),
    defaultModel: String? = nil
) -> Result<ParsedRequest, APIError> {
    bytes.withUnsafeBytes { body in
        do throws(APIError) {
            return .success(
                try ParsedRequest.parse(
                    task: task, body: body, limits: limits, defaultModel: defaultModel))
        } catch {
            return .failure(error)
        }
    }
}

func parsed(
    _ text: String, task: InferenceTask = .chat, defaultModel: String? = nil
) -> Result<ParsedRequest, APIError> {
    parsed(Array(text.utf8), task: task, defaultModel: defaultModel)
}

func refusal(_ text: String, task: InferenceTask = .chat) -> APIError? {
    if case .failure(let error) = parsed(text, task: task) { return error }
    return nil
}

/// A chat body with one message and these further members.
func chat(_ members: String) -> String {
    #"{"model":"m","messages":[{"role":"user","content":"hi"}]"#
        + (members.isEmpty ? "" : ",") + members + "}"
}

/// A chat body whose only message has this content.
func chat(content: String) -> String {
    #"{"model":"m","messages":[{"role":"user","content":\#(content)}]}"#
}
