import Testing

@testable import InferenceAPI

struct JSONScannerTests {
    private func members(_ text: String) -> [String] {
        withBytes(text) { bytes in
            var found: [String] = []
            JSONScanner(bytes).forEachMember(of: 0..<bytes.count) { key, value in
                let key = String(decoding: bytes[key], as: UTF8.self)
                found.append("\(key)=\(String(decoding: bytes[value], as: UTF8.self))")
                return true
            }
            return found
        }
    }

    private func elements(_ text: String) -> [String] {
        withBytes(text) { bytes in
            var found: [String] = []
            JSONScanner(bytes).forEachElement(of: 0..<bytes.count) { value in
                found.append(String(decoding: bytes[value], as: UTF8.self))
                return true
            }
            return found
        }
    }

    @Test func walksMembersInOrder() {
        #expect(members("{}").isEmpty)
        #expect(members("{ }").isEmpty)
        #expect(
            members(#"{ "a" : 1 , "b":[1,{"x":"]"}],"":"}\"" ,"d":{"e":null}}"#)
                == ["a=1", #"b=[1,{"x":"]"}]"#, #"="}\"""#, #"d={"e":null}"#])
        #expect(members(#"{"a\"b":true}"#) == [#"a\"b=true"#])
    }

    @Test func walksElementsInOrder() {
        #expect(elements("[]").isEmpty)
        #expect(elements("[\n]").isEmpty)
        #expect(
            elements(#"[1 , "a,]" ,[2,3],{"b":4},null,-1.5e3]"#)
                == ["1", #""a,]""#, "[2,3]", #"{"b":4}"#, "null", "-1.5e3"])
    }

    @Test func stopsWhenTold() {
        withBytes("[1,2,3]") { bytes in
            var count = 0
            JSONScanner(bytes).forEachElement(of: 0..<bytes.count) { _ in
                count += 1
                return count < 2
            }
            #expect(count == 2)
        }
    }

    @Test func findsAMemberOfTheObjectItself() {
        withBytes(#"{"b":{"a":1},"a":2}"#) { bytes in
            let scanner = JSONScanner(bytes)
            #expect(scanner.member("a", of: 0..<bytes.count).flatMap(scanner.integer) == 2)
            #expect(scanner.member("c", of: 0..<bytes.count) == nil)
        }
    }

    @Test func readsWholeNumbersOnly() {
        let table: [(String, Int?)] = [
            ("0", 0), ("-0", 0), ("42", 42), ("-7", -7), ("9223372036854775807", .max),
            ("9223372036854775808", nil), ("99999999999999999999", nil), ("1.0", nil),
            ("1e3", nil), ("true", nil), ("\"1\"", nil), ("-", nil),
        ]
        for (text, number) in table {
            #expect(withBytes(text) { JSONScanner($0).integer(0..<$0.count) } == number, "\(text)")
        }
    }
}
