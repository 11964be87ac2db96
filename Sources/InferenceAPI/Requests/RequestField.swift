/// A top-level member of a request that means something to the gateway.
enum RequestField {
    case model, messages, tools, stream, streamOptions, responseFormat, logprobs, choices
    case maxTokens, maxCompletionTokens, maxOutputTokens
    /// Keeps a prompt's cache apart from others', and names a session.
    case cacheSalt, session
    /// Prompt text or media; the field's name.
    case prompt(StaticString)
    /// With it a client reaches into the model server itself; the field's name.
    case restricted(StaticString)

    /// `nil` for what is only passed on.
    @inline(__always)
    init?(_ key: MemberKey) {
        switch key.count {
        case 1 where key.is("n"): self = .choices
        case 4 where key.is("user"): self = .session
        case 5 where key.is("model"): self = .model
        case 5 where key.is("tools"): self = .tools
        case 6 where key.is("stream"): self = .stream
        case 8 where key.is("messages"): self = .messages
        case 8 where key.is("logprobs"): self = .logprobs
        case 9 where key.is("functions"): self = .tools
        case 10 where key.is("max_tokens"): self = .maxTokens
        case 10 where key.is("cache_salt"): self = .cacheSalt
        case 10 where key.is("session_id"): self = .session
        case 14 where key.is("stream_options"): self = .streamOptions
        case 15 where key.is("response_format"): self = .responseFormat
        case 16 where key.is("prompt_cache_key"): self = .session
        case 17 where key.is("max_output_tokens"): self = .maxOutputTokens
        case 21 where key.is("max_completion_tokens"): self = .maxCompletionTokens
        default:
            if let name = Self.promptField(key) {
                self = .prompt(name)
            } else if let name = Self.restrictedField(key) {
                self = .restricted(name)
            } else {
                return nil
            }
        }
    }

    private static func promptField(_ key: MemberKey) -> StaticString? {
        switch key.count {
        case 5: key.first("input", "query", "items")
        case 6: key.first("prompt", "suffix", "data_1", "data_2", "text_1", "text_2")
        case 7: key.first("queries")
        case 9: key.first("documents")
        case 12: key.first("instructions")
        default: nil
        }
    }

    private static func restrictedField(_ key: MemberKey) -> StaticString? {
        switch key.count {
        case 10: key.first("vllm_xargs")
        case 13: key.first("chat_template")
        case 18: key.first("kv_transfer_params")
        default: nil
        }
    }
}

extension MemberKey {
    /// The one of these names that the key is.
    fileprivate func first(_ names: StaticString...) -> StaticString? {
        names.first { self.is($0) }
    }
}
