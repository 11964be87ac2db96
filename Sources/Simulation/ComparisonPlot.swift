import InferenceTypes

/// A comparison as one SVG picture: above, what each policy needed, with the part that idling
/// costs and what was kept of the promises; below, power over time.
public struct ComparisonPlot: Sendable {
    private struct Entry: Sendable {
        var name: String
        var megajoules: Double
        var idle: Double
        var attainment: Double
        var watts: [Double]
    }

    /// More lines than this tell nobody anything.
    public static let mostPolicies = 8
    private static let colours = [
        "#1b6ca8", "#d1495b", "#3a7d44", "#edae49", "#6a4c93", "#00798c", "#8d5524", "#666666",
    ]
    private static let points = 240
    private static let width = 960.0
    private static let left = 250.0
    private static let plotHeight = 260.0

    private var entries: [Entry] = []
    private var seconds = 0.0
    /// Megajoules; drawn as a line.
    private let bound: Double?

    public init(bound: Double? = nil) { self.bound = bound }

    /// The first run of a policy is drawn.
    public mutating func add(_ record: RunRecord, services: [Workload.Service]) {
        guard entries.count < Self.mostPolicies,
            !entries.contains(where: { $0.name == record.policy })
        else { return }
        seconds = max(seconds, record.length.seconds)
        entries.append(
            Entry(
                name: record.policy, megajoules: record.energy.total.value / 1e6,
                idle: record.energy.idle.value / 1e6,
                attainment: record.attainment(services),
                watts: record.power.means(points: Self.points)))
    }

    public var svg: String {
        let top = 40.0 + 34 * Double(entries.count)
        let height = top + 60 + Self.plotHeight + 50
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" \
            height="\(Int(height))" font-family="sans-serif" font-size="13">
            <rect width="100%" height="100%" fill="white"/>
            <text x="16" y="24">Energy (modelled), MJ; pale: drawn while idle</text>

            """
        bars(into: &text)
        curves(below: top + 60, into: &text)
        return text + "</svg>\n"
    }

    private func bars(into text: inout String) {
        let most = max(entries.map(\.megajoules).max() ?? 0, bound ?? 0, 1e-9)
        let scale = (Self.width - Self.left - 190) / most
        for (index, entry) in entries.enumerated() {
            let y = 40 + 34 * Double(index)
            let colour = Self.colours[index % Self.colours.count]
            let left = Int(Self.left)
            let width = Self.rounded(entry.megajoules * scale)
            let idle = Self.rounded(entry.idle * scale)
            text += """
                <text x="\(Int(Self.left - 10))" y="\(Int(y + 17))" \
                text-anchor="end">\(Self.escaped(entry.name))</text>
                <rect x="\(left)" y="\(Int(y))" width="\(width)" height="24" \
                fill="\(colour)"/>
                <rect x="\(left)" y="\(Int(y))" width="\(idle)" height="24" fill="white" \
                fill-opacity="0.55"/>
                <text x="\(Self.rounded(Self.left + entry.megajoules * scale + 8))" \
                y="\(Int(y + 17))">\(Self.rounded(entry.megajoules, 1_000)) MJ, \
                \(Self.rounded(entry.attainment * 100)) % kept</text>

                """
        }
        guard let bound else { return }
        let x = Self.rounded(Self.left + bound * scale)
        text += """
            <line x1="\(x)" x2="\(x)" y1="36" y2="\(36 + 34 * entries.count)" stroke="black" \
            stroke-dasharray="4 3"/>
            <text x="\(x)" y="\(50 + 34 * entries.count)" text-anchor="middle">lower bound \
            \(Self.rounded(bound, 1_000))</text>

            """
    }

    private func curves(below top: Double, into text: inout String) {
        let most = max(entries.flatMap(\.watts).max() ?? 0, 1)
        let bottom = top + Self.plotHeight
        let across = Self.width - 90
        text += """
            <text x="16" y="\(Int(top - 10))">Power of the fleet (modelled), W; over \
            \(Int(seconds)) s</text>
            <line x1="70" x2="\(Int(70 + across))" y1="\(Int(bottom))" y2="\(Int(bottom))" \
            stroke="#999"/>
            <line x1="70" x2="70" y1="\(Int(top))" y2="\(Int(bottom))" stroke="#999"/>
            <text x="64" y="\(Int(top + 10))" text-anchor="end">\(Int(most))</text>
            <text x="64" y="\(Int(bottom))" text-anchor="end">0</text>

            """
        for (index, entry) in entries.enumerated() where entry.watts.count > 1 {
            let step = across / Double(entry.watts.count - 1)
            let line = entry.watts.enumerated().map { place, watts in
                "\(Self.rounded(70 + step * Double(place)))"
                    + ",\(Self.rounded(bottom - watts / most * Self.plotHeight))"
            }
            text += """
                <polyline fill="none" stroke="\(Self.colours[index % Self.colours.count])" \
                stroke-width="1.5" points="\(line.joined(separator: " "))"/>

                """
        }
    }

    private static func rounded(_ value: Double, _ parts: Double = 10) -> String {
        guard value.isFinite else { return "0" }
        return "\((value * parts).rounded() / parts)"
    }

    /// Names of policies come from arguments.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}

extension PowerSeries {
    /// The series in at most so many equal parts, each its mean.
    func means(points: Int) -> [Double] {
        guard points > 0, !watts.isEmpty else { return [] }
        let size = (watts.count + points - 1) / points
        return stride(from: 0, to: watts.count, by: size).map { start in
            let part = watts[start..<min(start + size, watts.count)]
            return part.reduce(0, +) / Double(part.count)
        }
    }
}
