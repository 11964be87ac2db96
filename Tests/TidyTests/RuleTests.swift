import Testing

/// Each rule on a bad snippet, so that it can fail, and on its good twin.
@Suite struct RuleTests {
    private func lines(
        _ rule: Rule, _ text: String, in path: String = "Sources/Scheduling/X.swift"
    ) -> [Int] {
        rule.check(SourceText(path: path, text: text)).map(\.line)
    }

    @Test(arguments: [
        ("Sources/Scheduling/X.swift", "import Foundation"),
        ("Sources/Scheduling/X.swift", "public import struct Foundation.Date"),
        ("Sources/Scheduling/X.swift", "@preconcurrency import Synchronization"),
        ("Sources/Telemetry/X.swift", "import Configuration"),
        ("Sources/InferenceTypes/Energy.swift", "import Glibc"),
        ("Sources/Gateway/Upstream.swift", "import Foundation"),
        ("Sources/Transport/X.swift", "import CNGHTTP2"),
        ("Sources/WireProtocols/X.swift", "import CLinux"),
        ("Sources/Cellar/X.swift", "import InferenceTypes"),
        ("Tests/GatewayTests/X.swift", "import COpenSSL"),
    ])
    func aForbiddenImportIsFound(path: String, text: String) {
        #expect(lines(Rule.imports, text, in: path) == [1])
    }

    @Test(arguments: [
        ("Sources/Scheduling/X.swift", "import DequeModule"),
        ("Sources/InferenceTypes/Mathematics.swift", "import Glibc"),
        ("Sources/Gateway/ControlThread.swift", "import Foundation"),
        ("Sources/Gateway/AdminPages.swift", "import Foundation"),
        ("Sources/Transport/X.swift", "import CLinux"),
        ("Sources/WireProtocols/X.swift", "internal import CNGHTTP2"),
        ("Tests/GatewayTests/X.swift", "@testable import Gateway"),
        ("Tests/WireProtocolsTests/X.swift", "import CNGHTTP2"),
        ("Sources/Scheduling/X.swift", "// import Foundation\nlet a = \"import Foundation\""),
    ])
    func anAllowedImportIsNot(path: String, text: String) {
        #expect(lines(Rule.imports, text, in: path) == [])
    }

    @Test(arguments: [
        "let a = Date()", "let a = Date.now", "let a = clock.now", "let a = DispatchTime.now()",
        "let c = ContinuousClock()", "var g = SystemRandomNumberGenerator()",
        "let i = Int.random(in: 0..<5)", "let e = list.randomElement()",
        "let l = list.shuffled()", "let h = name.hashValue", "let a = SuspendingClock().now",
    ])
    func aClockOrChanceIsFoundInAPureRoom(text: String) {
        #expect(!lines(Rule.bannedCalls, text).isEmpty)
        #expect(lines(Rule.bannedCalls, text, in: "Sources/Gateway/X.swift") == [])
    }

    @Test(arguments: [
        "self.now = now", "case .now: dispatch()", "validate(1)", "let a = policy == .random",
        "// Date()", "let a = \"Date()\"", "let d = UpDate(1)",
    ])
    func whatOnlyLooksLikeOneIsNot(text: String) {
        #expect(lines(Rule.bannedCalls, text) == [])
    }

    @Test(arguments: [
        "// TO" + "DO: later", "let a = 1 // FIX" + "ME", "fatalError(\"x\")", "let a = try! f()",
        "let a = b as! C",
    ])
    func unfinishedAndFatalWordsAreFound(text: String) {
        #expect(lines(Rule.bannedWords, "\n" + text) == [2])
    }

    @Test func ordinaryWordsAreNot() {
        let text = "let a = \"try! as! fatalError(\" // as! \nlet b = try? f() as? C\nlet has = !x"
        #expect(lines(Rule.bannedWords, text) == [])
    }

    @Test func aSwitchedOffCheckNeedsItsReasonRightAbove() {
        let bad = "// Reason.\n\nfinal class A: @unchecked Sendable {}\n"
            + "nonisolated(unsafe) var b = 1"
        #expect(lines(Rule.statedReasons, bad) == [3, 4])
        let good = """
            // Written before the threads start.
            nonisolated(unsafe) var b = 1
            /// One thread owns it.
            final class A: @unchecked Sendable {}
            let text = "@unchecked Sendable"
            """
        #expect(lines(Rule.statedReasons, good) == [])
    }

    @Test func aLongLineIsFound() {
        let fits = String(repeating: "x", count: 100)
        #expect(lines(Rule.lineLength, fits + "\n" + fits + "x\n") == [2])
        #expect(lines(Rule.lineLength, String(repeating: "\u{AC00}", count: 100)) == [])
    }

    private func function(lines: Int, above: String = "", body: String = "    work()") -> String {
        let inside = Array(repeating: body, count: lines - 2).joined(separator: "\n")
        return "struct S {\n\(above)\n  func f(\n a: Int = { 1 }()) {\n\(inside)\n  }\n}"
    }

    @Test func aLongFunctionIsFound() {
        #expect(lines(Rule.functionLength, function(lines: 69)) == [])
        #expect(lines(Rule.functionLength, function(lines: 72)) == [3])
        let tests = "Tests/SchedulingTests/X.swift"
        #expect(lines(Rule.functionLength, function(lines: 72), in: tests) == [])
        let initializer = function(lines: 90).replacing("func f(", with: "init?(")
        #expect(lines(Rule.functionLength, initializer) == [3])
    }

    @Test func aReasonOrASwitchExcusesALongFunction() {
        let told = function(lines: 90, above: "  // long: one table")
        #expect(lines(Rule.functionLength, told) == [])
        let cases = (0..<80).map { "case \($0): a()" }.joined(separator: "\n")
        let table = "func f() {\n  let a = 1\n  switch a {\n\(cases)\n  }\n}"
        #expect(lines(Rule.functionLength, table) == [])
        let work = Array(repeating: "work()", count: 90).joined(separator: "\n")
        let mixed = "func f() {\n  switch a {\n  case 1: b()\n  }\n\(work)\n}"
        #expect(lines(Rule.functionLength, mixed) == [1])
    }

    @Test func bodilessFunctionsTakeNoBodyFromTheirNeighbours() {
        let long = Array(repeating: "work()", count: 90).joined(separator: "\n")
        let text = "protocol P {\n  func f()\n  init()\n}\nlet x = {\n\(long)\n}"
        #expect(lines(Rule.functionLength, text) == [])
    }

    @Test(arguments: ["/ho" + "me/me/x", "/Us" + "ers/me", "/t" + "mp/x", "/ro" + "ot/.x"])
    func aPathOfOneMachineIsFound(path: String) {
        let folder = path + "/"
        #expect(lines(Rule.machinePaths, "let a = \"\(folder)\"") == [1])
        #expect(lines(Rule.machinePaths, "let a = \"run\(folder)\"") == [])
        #expect(lines(Rule.machinePaths, "let a = \"/proc/self/stat\"") == [])
    }

    @Test func commentsAndLiteralsAreMasked() {
        let text = ##"""
            a /* b /* c */ d */ e // f
            let s = "g \"h\" \(i("j)")) k" + l
            let r = #"m "n" \(o) \#(p) q"# + t
            """u
            v"""
            """##
        let code = SourceText(path: "X", text: text).code.joined(separator: "\n")
        for visible in ["a", "e", "s", "l", "r", "t"] { #expect(code.contains(visible)) }
        for hidden in "bcdfghijkmnopquv" { #expect(!code.contains(hidden), "\(hidden)") }
        #expect(code.split(separator: "\n", omittingEmptySubsequences: false).count == 5)
    }
}
