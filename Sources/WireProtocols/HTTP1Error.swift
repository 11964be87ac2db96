/// How a peer's bytes fail to be HTTP/1.1 (RFC 9112). Where two readings are possible the message
/// is refused: what we judge must be what the next hop reads.
public enum HTTP1Error: Error, Equatable, Sendable {
    case bareLineFeed
    case bareCarriageReturn
    case malformedStartLine
    case unsupportedVersion
    case targetTooLong
    case malformedField
    case foldedField
    case headTooLarge
    case tooManyFields
    case invalidHost
    case invalidContentLength
    case lengthAndChunked
    case unsupportedTransferEncoding
    case malformedChunk
    case chunkTooLong
    case trailersTooLarge
    case tooManyInformational

    /// The status that a server answers with.
    public var status: Int {
        switch self {
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .unsupportedTransferEncoding: 501
        case .unsupportedVersion: 505
        case .bareLineFeed, .bareCarriageReturn, .malformedStartLine, .malformedField,
            .foldedField, .invalidHost, .invalidContentLength, .lengthAndChunked,
            .malformedChunk, .chunkTooLong, .tooManyInformational:
            400
        }
    }
}
