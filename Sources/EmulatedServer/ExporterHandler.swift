import InferenceTypes
import Transport
import WireProtocols

/// The power exporter on a thread of its own: `/metrics` and nothing else.
final class ExporterHandler: ServerHandler {
    private let options: EmulatedServer.Options
    private let box: EngineReadingBox
    private var page: (at: MonotonicTime, text: [UInt8])?

    init(options: EmulatedServer.Options, box: EngineReadingBox) {
        self.options = options
        self.box = box
        super.init()
    }

    override func request(_ stream: ServerStream) {
        var fields = FieldBlock()
        guard stream.head.string(":path")?.prefix(8) == "/metrics" else {
            stream.respond(status: 404, fields: fields, length: 0, end: true)
            return
        }
        fields.append("content-type", ExporterPage.contentType)
        let text = currentPage()
        stream.respond(status: 200, fields: fields, length: text.count)
        text.withUnsafeBytes { stream.send($0, end: true) }
    }

    override func refused(_ stream: ServerStream, _ refusal: RequestRefusal) {
        stream.respond(status: refusal.status, fields: FieldBlock(), length: 0, end: true)
    }

    /// The page as of the last collection.
    private func currentPage() -> [UInt8] {
        let now = MonotonicClock.now()
        if let page, now - page.at < options.exporterInterval { return page.text }
        let reading = box.reading
        let text = ExporterPage.text(
            options.exporter ?? .default(for: options.service.kind), name: options.name,
            accelerator: options.service.profile.accelerator, power: reading.power,
            energy: reading.energy(at: now), isBusy: reading.isBusy)
        page = (now, text)
        return text
    }
}
