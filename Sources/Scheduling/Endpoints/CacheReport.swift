extension Scheduler {
    /// What a model server's metrics page says of its prefix cache. `nil`: nothing.
    public struct CacheReport: Hashable, Sendable {
        /// Input tokens since the server's start, those found in the cache among them.
        public var promptTokens: Double?
        /// Input tokens that were found.
        public var cachedPromptTokens: Double?
        /// Tokens that the cache can hold, what runs included; 0: it is switched off.
        public var room: Double?

        public init(
            promptTokens: Double? = nil, cachedPromptTokens: Double? = nil, room: Double? = nil
        ) {
            self.promptTokens = promptTokens
            self.cachedPromptTokens = cachedPromptTokens
            self.room = room
        }
    }
}
