/// What an emulated model says: the same conversation gets the same text on every endpoint,
/// whatever the engine, the seed or the load, so that a test can check a stream that moved from
/// one endpoint to another byte by byte. Any emulator's unary answer is the reference.
///
/// The algorithm, for who wants to compute it elsewhere:
/// 1. key = FNV-1a (64 bits) over the conversation's bytes. Chat: for every message its role,
///    a line feed, its text, a line feed; a trailing assistant message that is to be continued
///    is left out. Completion: the prompt.
/// 2. Choice c > 0 of a request has the key mix(key + c).
/// 3. Token 0 is `«hhhhhhhh»`, the upper 32 bits of the key in hexadecimal. Token i > 0 is
///    `words[mix(key + i * 0x9E3779B97F4A7C15) % words.count]`; sums and products wrap.
/// 4. Without `max_tokens` the model stops after 16 + mix(key ^ 0x4C454E) % 241 tokens.
///
/// mix is SplitMix64's finaliser.
public enum EmulatedText {
    /// Tokens 1, 2, ...: each begins with its space, some need escapes in JSON.
    public static let words: [String] = [
        " the", " meter", " counts", " every", " joule", " of", " this", " answer", ",",
        ".", " power", " is", " short", " and", " tokens", " are", " cheap", " at",
        " night", " so", " requests", " wait", " a", " moment", " then", " run",
        " together", ":", " 전력을", " 아끼면", " 더", " 많은", " 토큰을",
        " 처리할", " 수", " 있습니다", ".\n", " 에너지는", " 비싸고",
        " 요청은", " 기다립니다", " 안녕하세요", ",", " 통화를",
        " 요약합니다", " 스팸이", " 아닙니다", " \"quoted\"", " back\\slash",
        "\tcell", " 42", " 3.14", " naïve", " → next", " 🔋", " <b>", " {x}", "\r\n",
        " per", " watt", " card", " node", " cool", " and",
    ]

    private static let wordBytes = words.map { Array($0.utf8) }
    private static let quotedBytes = words.map { word in
        var text = JSONText()
        text.appendEscaped(Array(word.utf8))
        return text.bytes
    }

    /// FNV-1a over bytes that come in pieces.
    public struct Key: Hashable, Sendable {
        public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

        public init() {}

        public init(_ bytes: some Sequence<UInt8>) { add(bytes) }

        init(value: UInt64) { self.value = value }

        public mutating func add(_ byte: UInt8) {
            value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
        }

        public mutating func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { add(byte) }
        }

        /// The key of one of several choices.
        public func choice(_ index: Int) -> Key {
            index == 0 ? self : Key(value: mix(value &+ UInt64(index)))
        }
    }

    /// The key of a chat, as (role, text) pairs.
    public static func key(ofMessages messages: [(role: String, text: String)]) -> Key {
        var key = Key()
        for message in messages {
            key.add(message.role.utf8)
            key.add(10)
            key.add(message.text.utf8)
            key.add(10)
        }
        return key
    }

    /// Tokens that the model says when nobody limits it, 16 ... 256.
    public static func naturalLength(of key: Key) -> Int {
        16 + Int(mix(key.value ^ 0x4C_454E) % 241)
    }

    /// The text of some of the tokens of an answer.
    public static func text(for key: Key, tokens: Range<Int>) -> String {
        var bytes: [UInt8] = []
        for index in tokens { append(index, of: key, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func append(_ index: Int, of key: Key, to bytes: inout [UInt8]) {
        if index <= 0 {
            appendMark(of: key, to: &bytes)
        } else {
            bytes.append(contentsOf: wordBytes[word(index, of: key)])
        }
    }

    /// As JSON has it between quotes.
    static func appendEscaped(_ index: Int, of key: Key, to bytes: inout [UInt8]) {
        if index <= 0 {
            appendMark(of: key, to: &bytes)
        } else {
            bytes.append(contentsOf: quotedBytes[word(index, of: key)])
        }
    }

    private static func word(_ index: Int, of key: Key) -> Int {
        let draw = mix(key.value &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        return Int(draw % UInt64(words.count))
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
    private static let opening: [UInt8] = [0xC2, 0xAB]
    private static let closing: [UInt8] = [0xC2, 0xBB]

    private static func appendMark(of key: Key, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: opening)
        for digit in 0..<8 {
            bytes.append(hexadecimal[Int(key.value >> UInt64(60 - 4 * digit)) & 15])
        }
        bytes.append(contentsOf: closing)
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Where in its text an answer goes on.
struct TextPosition: Equatable {
    /// The token to go on with.
    var token = 0
    /// Bytes of that token that are said already.
    var offset = 0
    /// False if what stands there is not this model's text; it then goes on at the next token.
    var isOwn = true
}

extension EmulatedText {
    /// The position after `said`.
    static func position(after said: [UInt8], of key: Key) -> TextPosition {
        var position = TextPosition()
        var place = 0
        var token: [UInt8] = []
        while place < said.count {
            token.removeAll(keepingCapacity: true)
            append(position.token, of: key, to: &token)
            let rest = said[place...]
            if !rest.prefix(token.count).elementsEqual(token.prefix(rest.count)) {
                position.isOwn = false
            }
            if rest.count < token.count {
                if position.isOwn { position.offset = rest.count } else { position.token += 1 }
                break
            }
            place += token.count
            position.token += 1
        }
        return position
    }

    /// Splits a completion prompt that ends in the beginning of its own answer: key of the real
    /// prompt and position after the rest. Any other prompt is all prompt.
    static func split(prompt: [UInt8]) -> (key: Key, position: TextPosition) {
        var key = Key()
        var found: (key: Key, position: TextPosition)?
        var mark: [UInt8] = []
        for index in prompt.indices {
            if prompt[index] == opening[0], prompt[index...].starts(with: opening) {
                mark.removeAll(keepingCapacity: true)
                appendMark(of: key, to: &mark)
                if prompt[index...].starts(with: mark) {
                    let position = position(after: Array(prompt[index...]), of: key)
                    if position.isOwn { found = (key, position) }
                }
            }
            key.add(prompt[index])
        }
        return found ?? (key, TextPosition())
    }
}
