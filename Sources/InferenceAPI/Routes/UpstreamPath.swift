import InferenceTypes

extension InferenceTask {
    /// Where model servers take this task. vLLM has the pooling tasks without a version.
    public var upstreamPath: StaticString {
        switch self {
        case .chat: "/v1/chat/completions"
        case .completion: "/v1/completions"
        case .embedding: "/v1/embeddings"
        case .responses: "/v1/responses"
        case .classify: "/classify"
        case .rerank: "/rerank"
        case .score: "/score"
        case .tokenize: "/tokenize"
        case .detokenize: "/detokenize"
        }
    }
}
