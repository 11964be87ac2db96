extension Rule {
    /// Rooms where the same input must give the same output, live and simulated.
    static let pureRooms: Set<String> = [
        "InferenceTypes", "EnergyModel", "Scheduling", "EmulatedEngine",
    ]

    private static let clocksAndChance = [
        "Date(", "ContinuousClock", "SuspendingClock", "DispatchTime",
        "SystemRandomNumberGenerator", ".random(", ".randomElement", ".shuffled(",
        ".hashValue", "Hasher(", "ProcessInfo", "clock_gettime", "gettimeofday",
        "arc4random",
    ]

    /// No clock, chance or hash value in the pure rooms.
    static let bannedCalls = Rule(name: "banned calls") { source in
        guard source.isSource, pureRooms.contains(source.room) else { return [] }
        return source.code.enumerated().flatMap { index, line in
            let calls = clocksAndChance.filter { !line.occurrences(of: $0).isEmpty }
                + (readsClock(line) ? [".now"] : [])
            return calls.map { source.violation(index, "\($0) makes a run unrepeatable") }
        }
    }

    /// `.now` of a type, of a call or of something called a clock, or called itself. A case or a
    /// property of that name is no clock; `.now` alone needs a clock's type named somewhere, which
    /// the other words find.
    private static func readsClock(_ line: String) -> Bool {
        let text = Array(line.utf8)
        return line.occurrences(of: ".now").contains { start in
            let end = start + 4
            if end < text.count, text[end] == UInt8(ascii: "(") { return true }
            guard start > 0 else { return false }
            if text[start - 1] == UInt8(ascii: ")") { return true }
            let owner = text[..<start].reversed().prefix { String.isName($0) }
            let name = String(decoding: owner.reversed(), as: UTF8.self)
            return name.first?.isUppercase ?? false || name.lowercased().hasSuffix("clock")
        }
    }

    /// Unfinished work, and ways to end the process.
    static let bannedWords = Rule(name: "banned words") { source in
        // Put together here, so that this file does not break its own rule.
        let notes = ["TO" + "DO", "FIX" + "ME"]
        let calls = ["fatalError(", "try!", "as!"]
        return source.lines.indices.flatMap { index in
            notes.filter { !source.lines[index].occurrences(of: $0).isEmpty }
                .map { source.violation(index, "\($0): finish it or leave it out") }
                + calls.filter { !source.code[index].occurrences(of: $0).isEmpty }
                .map { source.violation(index, "\($0) ends the process") }
        }
    }

    /// What switches the compiler's checks off needs its reason in a comment right above.
    static let statedReasons = Rule(name: "stated reasons") { source in
        ["@unchecked Sendable", "nonisolated(unsafe)"].flatMap { words in
            source.code.indices.filter { index in
                guard !source.code[index].occurrences(of: words).isEmpty else { return false }
                return index == 0 || !source.lines[index - 1].trimmed.hasPrefix("//")
            }
            .map { source.violation($0, "\(words) needs a comment above that gives the reason") }
        }
    }

    static let machinePaths = Rule(name: "machine paths") { source in
        let folders = ["home", "Users", "root", "tmp", "workspace", "private/var", "mnt"]
            .map { "/" + $0 + "/" }
        return source.lines.enumerated().flatMap { index, line in
            folders.filter { folder in
                line.occurrences(of: folder).contains { start in
                    // Below another folder it is no absolute path.
                    start == 0 || !String.isName(Array(line.utf8)[start - 1])
                        && Array(line.utf8)[start - 1] != UInt8(ascii: ".")
                        && Array(line.utf8)[start - 1] != UInt8(ascii: ")")
                }
            }
            .map { source.violation(index, "\($0) is a folder of one machine") }
        }
    }
}
