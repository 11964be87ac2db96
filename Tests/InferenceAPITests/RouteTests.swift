import InferenceTypes
import Testing

@testable import InferenceAPI

struct RouteTests {
    private func resolve(_ method: String, _ path: String) -> Result<Route, APIError> {
        withBytes(method) { method in
            withBytes(path) { path in
                do throws(APIError) {
                    return .success(try Route.resolve(method: method, path: path))
                } catch {
                    return .failure(error)
                }
            }
        }
    }

    static let tasks: [(String, InferenceTask)] = [
        ("/v1/chat/completions", .chat), ("/v1/completions", .completion),
        ("/v1/embeddings", .embedding), ("/v1/responses", .responses),
        ("/classify", .classify), ("/v1/classify", .classify), ("/rerank", .rerank),
        ("/v1/rerank", .rerank), ("/v2/rerank", .rerank), ("/score", .score),
        ("/v1/score", .score), ("/tokenize", .tokenize), ("/v1/tokenize", .tokenize),
        ("/detokenize", .detokenize), ("/v1/detokenize", .detokenize),
    ]

    static let resources: [(String, Route)] = [
        ("/v1/models", .models), ("/health", .health), ("/liveness", .liveness),
        ("/readiness", .readiness), ("/version", .version), ("/v1/models/m", .model(id: "m")),
        ("/v1/models/a/b-1.5", .model(id: "a/b-1.5")),
        ("/v1/models/a%2Fb%2fc", .model(id: "a/b/c")),
        ("/v1/models/%C3%A9", .model(id: "\u{E9}")), ("/v1/models/a+b", .model(id: "a+b")),
        ("/health?", .health), ("/v1/models?a=/../b", .models),
    ]

    @Test func takesTasksByPost() {
        for (path, task) in Self.tasks {
            #expect(resolve("POST", path) == .success(.inference(task)), "\(path)")
            #expect(resolve("POST", path + "?x=1") == .success(.inference(task)), "\(path)")
            for method in ["GET", "HEAD", "PUT", "post", ""] {
                #expect(
                    resolve(method, path) == .failure(.methodNotAllowed(allow: "POST")), "\(path)")
            }
        }
    }

    @Test func showsResourcesByGetAndHead() {
        for (path, route) in Self.resources {
            #expect(resolve("GET", path) == .success(route), "\(path)")
            #expect(resolve("HEAD", path) == .success(route), "\(path)")
            #expect(
                resolve("POST", path) == .failure(.methodNotAllowed(allow: "GET, HEAD")),
                "\(path)")
        }
    }

    @Test func theServerAsAWholeHasNoOptions() {
        #expect(resolve("OPTIONS", "*") == .failure(.methodNotAllowed(allow: "GET, HEAD")))
        #expect(resolve("OPTIONS", "/nothing") == .failure(.notFound))
    }

    static let nowhere = [
        "", "/", "?", "*", "/V1/models", "/v1/models/", "/v1/chat/completions/", "/v1", "/healthz",
        "//health", "/v1//models", "/v1/../health", "/v1/models/..", "/v1/models/a/../b",
        "/v1/models/%2e%2e", "/v1/models/a%2Eb", "/v1\\models", "/v1/models/a\\b", "/health/",
        "/v1/models/%", "/v1/models/%2", "/v1/models/%zz", "/v1/models/%00", "/v1/models/%FF",
        "/v1/models/a%0Ab", "/%68ealth", "/health#x", "http://h/health", "health", " /health",
    ]

    @Test(arguments: nowhere) func leadsNowhereElse(_ path: String) {
        #expect(resolve("GET", path) == .failure(.notFound))
        #expect(resolve("POST", path) == .failure(.notFound))
    }

    @Test func namesAnUpstreamPathThatIsARouteOfTheSameTask() {
        for task in InferenceTask.allCases {
            #expect(resolve("POST", "\(task.upstreamPath)") == .success(.inference(task)))
        }
    }
}
