import InferenceTypes

/// Where in a body the prompt lies, as far as it tells which prompts begin alike.
struct PromptLayout: Sendable {
    /// The messages, the prompt, or the input of the responses API.
    var content: Range<Int>?
    /// What models are shown before it, wherever they stand in the body.
    var tools: Range<Int>?
    var instructions: Range<Int>?
    /// The client's own salt: the model server keeps prompts with unlike salts apart.
    var salt: Range<Int>?
    /// What names the session, and how well: `user` names a person rather than a session.
    private(set) var session: Range<Int>?
    private var sessionRank = 0
    /// Where messages end, in the body.
    var boundaries = PromptBoundaries()

    mutating func note(session range: Range<Int>, _ key: MemberKey) {
        // An empty text, two quotes, names none.
        guard range.count > 2 else { return }
        let rank = key.is("prompt_cache_key") ? 3 : key.is("session_id") ? 2 : 1
        guard rank > sessionRank else { return }
        sessionRank = rank
        session = range
    }

    mutating func note(_ range: Range<Int>, named key: MemberKey) {
        if key.is("prompt") || key.is("input") {
            content = range
        } else if key.is("instructions") {
            instructions = range
        }
    }
}

extension ParsedRequest {
    /// Bytes of a prompt that are hashed at most; what follows has no marks.
    static let greatestHashed = 256 << 10

    /// Hashes the prompt, as it is written in the body: at most ``greatestHashed`` bytes of it.
    public func prefix(in body: UnsafeRawBufferPointer, _ hash: PromptHash) -> PromptPrefix {
        guard let content = prompt.content, body.indices.contains(content.lowerBound),
            content.upperBound <= body.count
        else { return PromptPrefix() }
        var hash = hash
        if let tools = prompt.tools { hash = hash.salted(by: part(tools, of: body), as: 1) }
        if let shown = prompt.instructions { hash = hash.salted(by: part(shown, of: body), as: 2) }
        if let salt = prompt.salt { hash = hash.salted(by: part(salt, of: body), as: 3) }
        var prefix = PromptPrefix(bytes: content.count)
        let text = UnsafeRawBufferPointer(rebasing: body[content].prefix(Self.greatestHashed))
        var stepper = PromptHash.Stepper(hash)
        prompt.boundaries.moved(by: content.lowerBound).forEach(upTo: text.count) { place in
            prefix.append(.init(hash: stepper.hash(of: text, upTo: place), bytes: place))
        }
        return prefix
    }

    /// 0: the body names no session.
    public func session(in body: UnsafeRawBufferPointer, _ hash: PromptHash) -> UInt64 {
        guard let session = prompt.session else { return 0 }
        return hash.key(part(session, of: body))
    }

    private func part(
        _ range: Range<Int>, of body: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: body[range.clamped(to: 0..<body.count)].prefix(Self.greatestHashed))
    }
}
