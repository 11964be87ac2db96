import FuzzTargets
import Glibc

/// The program that libFuzzer's `main` runs: `fuzz TARGET [libFuzzer's options and folders]`, or
/// `fuzz lengths` for the targets with their longest inputs.
/// `scripts/fuzz.sh` builds it; it is no part of the package otherwise.
private nonisolated(unsafe) var chosen: FuzzTarget?
private let variable = "JOULEGATE_FUZZ_TARGET"

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    let words = arguments.pointee
    let name = count.pointee > 1 ? words[1].map { String(cString: $0) } : nil
    if name == "lengths" {
        for target in FuzzTarget.all { print(target.name, target.longestInput) }
        exit(0)
    }
    chosen = FuzzTarget.all.first { $0.name == name }
    if let chosen {
        // Processes that libFuzzer starts for itself are not told the name again.
        setenv(variable, chosen.name, 1)
        words[1] = words[0]
        arguments.pointee = words + 1
        count.pointee -= 1
        return 0
    }
    chosen = getenv(variable).flatMap { value in
        FuzzTarget.all.first { $0.name == String(cString: value) }
    }
    guard chosen != nil else {
        print("usage: fuzz \(FuzzTarget.all.map(\.name).joined(separator: "|")) [options]")
        exit(2)
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do {
        try chosen?.run(UnsafeRawBufferPointer(start: bytes, count: count))
    } catch {
        print("finding: \(error)")
        fflush(nil)
        abort()
    }
    return 0
}
