import InferenceTypes
import Testing

@testable import Simulation

struct TraceFileTests {
    private let text = """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2023-11-16 18:15:46.6805900,374,44
        2023-11-16 18:15:50.9951690,396,109
        """

    @Test func readsRowsSinceTheFirst() throws {
        let rows = try TraceFile.parse(text, file: "t")
        #expect(rows.map(\.inputTokens) == [374, 396] && rows.map(\.outputTokens) == [44, 109])
        #expect(rows[0].arrival == .zero)
        #expect((rows[1].arrival.seconds - 4.314579).magnitude < 1e-4)
    }

    @Test func takesAnyLineEndsAndColumnOrder() throws {
        let plain = try TraceFile.parse(text, file: "t")
        let dos = text.replacing("\n", with: "\r\n") + "\r\n\r\n"
        #expect(try TraceFile.parse(dos, file: "t") == plain)
        let turned = """
            GeneratedTokens,Other,ContextTokens,TIMESTAMP
            44,x,374,2023-11-16T18:15:46.6805900Z
            109,,396,2023-11-16T18:15:50.9951690+00:00
            """
        #expect(try TraceFile.parse(turned, file: "t") == plain)
    }

    @Test func crossesMidnightAndMonths() {
        let before = Timestamp.seconds("2024-02-28 23:59:59.5")
        let after = Timestamp.seconds("2024-03-01 00:00:00.5")
        // 2024 is a leap year.
        #expect(after.flatMap { a in before.map { a - $0 } } == 86_401)
        #expect(Timestamp.seconds("2024-13-01 00:00:00") == nil)
        #expect(Timestamp.seconds("yesterday") == nil)
        #expect(Timestamp.seconds("2024-01-01 9223372036854775807:00:00") == nil)
        #expect(Timestamp.seconds("2024-01-01 00:60:00") == nil)
    }

    @Test func sortsRowsThatAreOutOfOrder() throws {
        let lines = text.split(separator: "\n")
        let turned = [lines[0], lines[2], lines[1]].joined(separator: "\n")
        #expect(try TraceFile.parse(turned, file: "t") == TraceFile.parse(text, file: "t"))
    }

    @Test(arguments: [
        ("", 0), ("A,B\n1,2", 1), ("TIMESTAMP,ContextTokens,GeneratedTokens\nx,1,2", 2),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1", 2),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,-1,2", 2),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,99999999999999,2", 2),
    ])
    func saysWhereItIsWrong(text: String, line: Int) {
        #expect {
            try TraceFile.parse(text, file: "t")
        } throws: {
            ($0 as? TraceError)?.line == line
        }
    }

    @Test func aWorkloadIsPlayedFasterRepeatedAndCut() throws {
        let rows = try TraceFile.parse(text, file: "t")
        var workload = Workload()
        workload.add(.init(name: "a"), rows: rows, speed: 2, length: .seconds(2))
        #expect(workload.arrivals.map(\.inputTokens) == [374])
        workload.add(.init(name: "b"), rows: rows, length: .seconds(30), repeats: true)
        let second = workload.arrivals.filter { $0.service == 1 }
        // A row each 4.31 s.
        #expect(second.count == 7)
        #expect(workload.arrivals == workload.arrivals.sorted { $0.at < $1.at })
    }
}
