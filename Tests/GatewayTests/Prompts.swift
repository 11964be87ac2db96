import EmulatedServer

/// Request bodies, and the text that every emulated server answers them with.
enum Prompts {
    static func chat(
        _ text: String = "hello", tokens: Int = 8, streams: Bool = false,
        model: String = GatewayFixture.model, extra: String = ""
    ) -> String {
        """
        {"model":"\(model)","messages":[{"role":"user","content":"\(text)"}],\
        "max_tokens":\(tokens),"stream":\(streams)\(extra)}
        """
    }

    static func completion(
        _ text: String = "hello", tokens: Int = 8, streams: Bool = false, extra: String = ""
    ) -> String {
        """
        {"model":"\(GatewayFixture.model)","prompt":"\(text)","max_tokens":\(tokens),\
        "stream":\(streams)\(extra)}
        """
    }

    static func fault(_ fault: String) -> String { ",\"emulated_fault\":\"\(fault)\"" }

    static func chatReference(_ text: String = "hello", tokens: Int = 8) -> String {
        EmulatedText.text(
            for: EmulatedText.key(ofMessages: [("user", text)]), tokens: 0..<tokens)
    }

    static func completionReference(_ text: String = "hello", tokens: Int = 8) -> String {
        EmulatedText.text(for: EmulatedText.Key(text.utf8), tokens: 0..<tokens)
    }
}
