import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import PrometheusText

/// Answers on a worker's own admin socket: health, readiness and metrics.
struct AdminResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let service: Endpoint
    let processStart: Double?
    let readiness: @Sendable () async -> Bool
    let metrics: @Sendable () async -> String

    func respond(to request: Request, context: Context) async throws -> Response {
        switch request.uri.path {
        case "/healthz", "/readyz", "/metrics": break
        default: return Self.text(.notFound, "only /healthz, /readyz and /metrics are served here\n")
        }
        guard request.method == .get || request.method == .head else {
            var response = Self.text(.methodNotAllowed, "only GET and HEAD are served here\n")
            response.headers[.allow] = "GET, HEAD"
            return response
        }
        switch request.uri.path {
        case "/healthz": return Self.text(.ok, "ok\n")
        case "/readyz": return await readyz()
        default: return await exposition()
        }
    }

    private func readyz() async -> Response {
        if service.drain.isRaised { return Self.text(.serviceUnavailable, "draining\n") }
        return await readiness() ? Self.text(.ok, "ready\n") : Self.text(.serviceUnavailable, "not ready\n")
    }

    private func exposition() async -> Response {
        // An answer that a client has seen is counted in the same turn of its event loop that wrote it.
        await service.settled()
        var writer = PrometheusText.Writer()
        writer.append(service.counters.text(isDraining: service.drain.isRaised, processStart: processStart))
        writer.append(await metrics())
        var response = Self.text(.ok, writer.text)
        response.headers[.contentType] = PrometheusText.contentType
        return response
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
