import Benchmark
import InferenceTypes
import WireProtocols

/// HTTP/1.1 heads, from a client and from a model server.
func measureHeads() {
    let request = Array(
        """
        POST /v1/chat/completions HTTP/1.1\r
        host: gateway.example:8080\r
        accept: application/json\r
        accept-encoding: gzip, deflate\r
        connection: keep-alive\r
        user-agent: AsyncOpenAI/Python 1.90.0\r
        content-type: application/json\r
        authorization: Bearer sk-0123456789abcdef0123456789abcdef\r
        x-stainless-lang: python\r
        x-stainless-retry-count: 0\r
        content-length: 0\r
        \r

        """.utf8)
    measure("HTTP/1.1 request head, 10 fields", bytes: request.count) {
        var parser = HTTP1RequestParser(limits: Limits())
        var block = FieldBlock()
        return {
            try request.withUnsafeBytes { bytes in
                guard case .head(request.count, _) = try parser.next(bytes, into: &block),
                    case .end = try parser.next(bytes, into: &block), block.count > 10
                else { throw Unexpected("no head") }
            }
        }
    }
    let response = Array(
        """
        HTTP/1.1 200 OK\r
        date: Sat, 21 Nov 2026 12:00:00 GMT\r
        server: uvicorn\r
        content-length: 0\r
        content-type: application/json\r
        \r

        """.utf8)
    measure("HTTP/1.1 response head, 4 fields", bytes: response.count) {
        var parser = HTTP1ResponseParser(limits: Limits())
        var block = FieldBlock()
        return {
            parser.reset(requestMethodIsHead: false)
            try response.withUnsafeBytes { bytes in
                guard case .head(response.count, _) = try parser.next(bytes, into: &block)
                else { throw Unexpected("no head") }
            }
        }
    }
}
