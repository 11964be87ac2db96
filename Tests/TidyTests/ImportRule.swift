extension Rule {
    /// Who may import whom; `docs/architecture.md` has the same table with the reasons.
    static let allowedImports: [String: Set<String>] = [
        "InferenceTypes": [],
        "EnergyModel": ["InferenceTypes"],
        "Scheduling": ["EnergyModel", "InferenceTypes", "DequeModule", "HeapModule"],
        "InferenceAPI": ["InferenceTypes"],
        "Classification": ["InferenceTypes"],
        "WireProtocols": ["CNGHTTP2", "COpenSSL", "InferenceTypes"],
        // Glibc: reading /proc and sysfs on the control thread.
        "Telemetry": ["InferenceTypes", "Synchronization", "Glibc"],
        "Transport": [
            "WireProtocols", "InferenceTypes", "Synchronization", "Glibc", "CLinux",
        ],
        "EmulatedEngine": ["InferenceTypes"],
        "EmulatedServer": [
            "EmulatedEngine", "InferenceAPI", "Transport", "Telemetry", "Configuration",
            "InferenceTypes", "WireProtocols", "Foundation", "Glibc", "Synchronization",
        ],
        "Configuration": ["InferenceTypes", "Yams", "Foundation"],
        "Gateway": [
            "Classification", "Configuration", "EnergyModel", "InferenceAPI", "InferenceTypes",
            "Scheduling", "Telemetry", "Transport", "WireProtocols", "Logging", "Glibc",
            "Synchronization",
        ],
        "Simulation": [
            "Configuration", "EmulatedEngine", "EnergyModel", "InferenceTypes", "Scheduling",
            "Telemetry", "Foundation",
        ],
        "joulegate": [
            "Classification", "Configuration", "EmulatedServer", "Gateway", "InferenceTypes",
            "Simulation", "ArgumentParser", "Logging", "Foundation", "Glibc",
        ],
    ]

    /// Modules that single files may import beside their room's.
    static func additionalImports(_ source: SourceText) -> Set<String> {
        if source.path == "Sources/InferenceTypes/Mathematics.swift" { return ["Glibc"] }
        // Foundation stays out of the reactors.
        let isControl = source.fileName.hasPrefix("Control") || source.fileName.hasPrefix("Admin")
        return source.room == "Gateway" && isControl ? ["Foundation"] : []
    }

    /// Tests may import anything but the C libraries of another room.
    static let imports = Rule(name: "imports") { source in
        let modules = source.code.enumerated().compactMap { index, line in
            importedModule(line).map { (index, $0) }
        }
        guard source.isSource else {
            let own = source.room == "WireProtocolsTests"
            return modules.filter { !own && ["CNGHTTP2", "COpenSSL"].contains($0.1) }
                .map { source.violation($0.0, "\($0.1) belongs to WireProtocols") }
        }
        guard source.fileName.hasSuffix(".swift") else { return [] }
        guard let allowed = allowedImports[source.room] else {
            return [source.violation(0, "the room \(source.room) is not in the table of imports")]
        }
        let more = additionalImports(source)
        return modules.filter { !allowed.contains($0.1) && !more.contains($0.1) }
            .map { source.violation($0.0, "\(source.room) may not import \($0.1)") }
    }

    /// The module of an import declaration, attributes and kinds of declaration aside.
    static func importedModule(_ line: String) -> String? {
        var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ";" })
            .map(String.init)
        let access = ["public", "package", "internal", "fileprivate", "private"]
        while let first = words.first, first.hasPrefix("@") || access.contains(first) {
            words.removeFirst()
        }
        guard words.first == "import", words.count > 1 else { return nil }
        let kinds = [
            "struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor",
        ]
        let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
        return name.split(separator: ".").first.map(String.init)
    }
}
