import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel

/// `GET /heap?service=S&worker=N`: the heap of one worker.
///
/// A look takes seconds, so the top of the page is sent at once and the rest when there is something to show. What can be
/// known to be wrong beforehand (no such worker, no sampler) gets its own status.
struct HeapPageRoute: Sendable {
    let plane: any ControlPlane

    func respond(to request: Request) async -> Response {
        let query: HeapQuery
        var again = "/"
        do throws(ControlError) {
            query = try QueryText.heap(request)
            again = "/heap?\(query.parameters)"
            try await check(query)
        } catch {
            var response = APIRoutes.answer(
                Self.html, ByteBuffer(string: ConsolePage.trouble(error, again: again).html))
            response.status = HTTPResponse.Status(code: error.status)
            return response
        }
        let headers: HTTPFields = [.contentType: Self.html, .cacheControl: "no-store"]
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        let plane = plane
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: HeapPage.opening(query).html))
            let rest: Markup
            do throws(ControlError) {
                rest = HeapPage(view: try await plane.heap(query)).markup
            } catch {
                rest = HeapPage.trouble(error, query)
            }
            try await writer.write(ByteBuffer(string: rest.html))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static let html = "text/html; charset=utf-8"

    /// Where a look may end in nothing it comes first: its result is then shown without another one.
    private func check(_ query: HeapQuery) async throws(ControlError) {
        let services = try await plane.overview().services
        guard let service = services.first(where: { $0.name == query.service }) else {
            let names = services.map(\.name).joined(separator: ", ")
            throw .notFound("there is no service \(query.service); there is \(names)")
        }
        let lives = service.workers.contains { $0.number == query.worker && $0.process != nil }
        guard service.samplesHeap == false || !lives else { return }
        _ = try await plane.heap(query)
    }
}
