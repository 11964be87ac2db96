/// The keys that a kind of file may have, as a tree.
struct KnownKeys: Sendable {
    /// The names below each block, in documented order.
    let children: [String: [String]]

    /// Those of the configuration file.
    static let ofConfiguration = KnownKeys(ConfigurationKey.all.map(\.path))

    init(_ keys: [String]) {
        var children: [String: [String]] = [:]
        for key in keys {
            let parts = key.split(separator: ".").map(String.init)
            for depth in parts.indices {
                let block = parts[..<depth].joined(separator: ".")
                let name = parts[depth].hasSuffix("[]")
                    ? String(parts[depth].dropLast(2)) : parts[depth]
                if !(children[block, default: []].contains(name)) {
                    children[block, default: []].append(name)
                }
            }
        }
        self.children = children
    }
}
