import Foundation
import InferenceTypes

@testable import Telemetry

/// The folder of the package, from the place of this file.
let packageFolder: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
}()

func packageFile(_ path: String) throws -> String {
    try String(contentsOfFile: packageFolder + "/" + path, encoding: .utf8)
}

func text(_ registry: MetricRegistry) -> String {
    String(decoding: registry.render(), as: UTF8.self)
}

extension String {
    /// The lines that are samples.
    var samples: [String] {
        split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }
}
