import Foundation
import InferenceTypes

/// One request of a recorded trace: when it came and how large it was. No text.
public struct TraceRow: Hashable, Sendable {
    /// Since the trace's first row.
    public var arrival: TimeSpan
    public var inputTokens: Int
    public var outputTokens: Int

    public init(arrival: TimeSpan, inputTokens: Int, outputTokens: Int) {
        self.arrival = arrival
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

/// What is wrong with a trace, and where.
public struct TraceError: Error, Hashable, CustomStringConvertible {
    public var file: String
    /// 1 is the first line; 0: the file as a whole.
    public var line: Int
    public var message: String

    public var description: String {
        line == 0 ? "\(file): \(message)" : "\(file):\(line): \(message)"
    }
}

/// A trace as the Azure LLM inference traces of 2023 are written: CSV with the columns
/// `TIMESTAMP` (`2023-11-16 18:15:46.6805900`), `ContextTokens` and `GeneratedTokens`, in any
/// order and with others between them.
public enum TraceFile {
    /// A longer file is a mistake, not a trace.
    static let mostRows = 10_000_000

    public static func load(path: String) throws(TraceError) -> [TraceRow] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TraceError(file: path, line: 0, message: "cannot be read")
        }
        return try parse(String(decoding: data, as: UTF8.self), file: path)
    }

    /// Lengths without times: CSV with the columns `num_prefill_tokens`, `num_decode_tokens`. All
    /// arrive at zero.
    public static func loadLengths(path: String) throws(TraceError) -> [TraceRow] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TraceError(file: path, line: 0, message: "cannot be read")
        }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        let names = lines.first.map { $0.split(separator: ",").map(String.init) } ?? []
        guard let input = names.firstIndex(of: "num_prefill_tokens"),
            let output = names.firstIndex(of: "num_decode_tokens")
        else { throw TraceError(file: path, line: 1, message: "has no columns of lengths") }
        var rows: [TraceRow] = []
        for (number, line) in lines.enumerated().dropFirst() {
            let fields = line.split(separator: ",")
            guard fields.count > max(input, output), rows.count < mostRows,
                let read = Int(fields[input]), let written = Int(fields[output]),
                (1...(1 << 24)).contains(read), (1...(1 << 24)).contains(written)
            else {
                throw TraceError(
                    file: path, line: number + 1, message: "expected two numbers of tokens")
            }
            rows.append(TraceRow(arrival: .zero, inputTokens: read, outputTokens: written))
        }
        return rows
    }

    /// Rows in order of arrival; the first one arrives at zero.
    public static func parse(_ text: String, file: String) throws(TraceError) -> [TraceRow] {
        var columns: Columns?
        var rows: [(at: Double, input: Int, output: Int)] = []
        var number = 0
        for line in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            let fields = line.split(separator: 44, omittingEmptySubsequences: false)
                .map { String(Substring($0)).trimmingCharacters(in: .whitespacesAndNewlines) }
            if fields == [""] { continue }
            guard let known = columns else {
                columns = try Columns(fields, file: file)
                continue
            }
            guard rows.count < mostRows else {
                throw TraceError(file: file, line: number, message: "more than \(mostRows) rows")
            }
            guard let row = known.read(fields) else {
                throw TraceError(
                    file: file, line: number,
                    message: "expected a time and two numbers of tokens")
            }
            rows.append(row)
        }
        guard columns != nil else {
            throw TraceError(file: file, line: 0, message: "is empty")
        }
        rows.sort { ($0.at, $0.input, $0.output) < ($1.at, $1.input, $1.output) }
        let start = rows.first?.at ?? 0
        return rows.map {
            TraceRow(
                arrival: TimeSpan(seconds: $0.at - start), inputTokens: $0.input,
                outputTokens: $0.output)
        }
    }

    private struct Columns {
        let time: Int
        let input: Int
        let output: Int

        init(_ fields: [String], file: String) throws(TraceError) {
            func column(_ name: String) throws(TraceError) -> Int {
                guard let index = fields.firstIndex(of: name) else {
                    throw TraceError(file: file, line: 1, message: "has no column \(name)")
                }
                return index
            }
            time = try column("TIMESTAMP")
            input = try column("ContextTokens")
            output = try column("GeneratedTokens")
        }

        func read(_ fields: [String]) -> (at: Double, input: Int, output: Int)? {
            guard fields.count > max(time, input, output),
                let at = Timestamp.seconds(fields[time]),
                let read = Int(fields[input]), let written = Int(fields[output]),
                (0...(1 << 24)).contains(read), (0...(1 << 24)).contains(written)
            else { return nil }
            // What an engine was asked for has at least one token on each side.
            return (at, max(read, 1), max(written, 1))
        }
    }
}

/// `2023-11-16 18:15:46.6805900` as seconds; only differences mean anything.
enum Timestamp {
    static func seconds(_ text: String) -> Double? {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "T" })
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int($0) }
        var clock = parts[1]
        if clock.hasSuffix("Z") { clock.removeLast() }
        if let offset = clock.firstIndex(of: "+") { clock = clock[..<offset] }
        let fields = clock.split(separator: ":")
        guard date.count == 3, fields.count == 3, let hours = Int(fields[0]),
            let minutes = Int(fields[1]), let seconds = Double(fields[2]), seconds.isFinite,
            (0...23).contains(hours), (0...59).contains(minutes), (0..<61).contains(seconds),
            (1...9_999).contains(date[0]), (1...12).contains(date[1]), (1...31).contains(date[2])
        else { return nil }
        return Double(days(date[0], date[1], date[2])) * 86_400
            + Double(hours * 3_600 + minutes * 60) + seconds
    }

    /// Days since the first of March of year 0 in the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let month = month > 2 ? month - 3 : month + 9
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
    }
}
