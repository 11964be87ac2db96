/// The answers of `GET /v1/models` and `GET /v1/models/{id}`.
public enum ModelList {
    public struct Entry: Equatable, Sendable {
        public var id: String
        /// Seconds since 1970.
        public var created: Int
        public var ownedBy: String
        /// Longest prompt and answer together, tokens.
        public var maxModelLength: Int?

        public init(id: String, created: Int, ownedBy: String, maxModelLength: Int?) {
            self.id = id
            self.created = created
            self.ownedBy = ownedBy
            self.maxModelLength = maxModelLength
        }
    }

    /// All models.
    public static func render(models: [Entry]) -> [UInt8] {
        var bytes = Array("{\"object\":\"list\",\"data\":[".utf8)
        for (index, entry) in models.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(entry, to: &bytes)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }

    /// One model.
    public static func renderOne(_ entry: Entry) -> [UInt8] {
        var bytes: [UInt8] = []
        append(entry, to: &bytes)
        return bytes
    }

    private static func append(_ entry: Entry, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"id\":".utf8)
        JSONText.append(entry.id, to: &bytes)
        bytes.append(contentsOf: ",\"object\":\"model\",\"created\":\(entry.created)".utf8)
        bytes.append(contentsOf: ",\"owned_by\":".utf8)
        JSONText.append(entry.ownedBy, to: &bytes)
        if let length = entry.maxModelLength {
            bytes.append(contentsOf: ",\"max_model_len\":\(length)".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}
