/// Writes server-sent events in the form that model servers use.
public enum SSEWriter {
    /// The event that ends a chat or completion stream.
    public static let done: StaticString = "data: [DONE]\n\n"

    /// Appends one event whose data is `json`. A line end in it starts a further `data` line, as
    /// it would end the event otherwise.
    public static func appendEvent(_ json: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        append("data: ", to: &bytes)
        appendLines(json, label: "data: ", to: &bytes)
    }

    /// Appends a comment, which clients skip, as a block of its own.
    public static func appendComment(_ text: String, to bytes: inout [UInt8]) {
        append(": ", to: &bytes)
        var text = text
        text.withUTF8 {
            appendLines(UnsafeRawBufferPointer($0), label: ": ", to: &bytes)
        }
    }

    static func append(_ text: StaticString, to bytes: inout [UInt8]) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func appendLines(
        _ text: UnsafeRawBufferPointer, label: StaticString, to bytes: inout [UInt8]
    ) {
        var offset = 0
        while true {
            let end = SSELine.end(in: text, from: offset)
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[offset..<end]))
            append("\n", to: &bytes)
            guard end < text.count else { break }
            let isCRLF =
                text[end] == UInt8(ascii: "\r") && end + 1 < text.count
                && text[end + 1] == UInt8(ascii: "\n")
            offset = end + (isCRLF ? 2 : 1)
            append(label, to: &bytes)
        }
        append("\n", to: &bytes)
    }
}
