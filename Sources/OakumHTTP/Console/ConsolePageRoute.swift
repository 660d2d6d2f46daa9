import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI
import OakumModel

/// `GET /`: the page with everything as of now, readable without script.
struct ConsolePageRoute: Sendable {
    let plane: any ControlPlane
    let dygraphs: StaticFiles
    let parts: ResponseParts

    /// The newest events on the page.
    private static let events = 60

    func respond(_ context: OakumContext) async -> Response {
        let page: Markup
        var status = HTTPResponse.Status.ok
        do throws(ControlError) {
            let overview = try await plane.overview()
            let events = try await plane.events(EventQuery(after: nil, limit: Self.events))
            let navigation = ConsoleNavigation(
                place: .overview, open: await ConsoleNavigation.openCount(parts), principal: context.principal)
            page =
                ConsolePage(
                    overview: overview, events: events, hasCharts: dygraphs.has("dygraph.min.js"),
                    navigation: navigation
                ).markup
        } catch {
            page = ConsolePage.trouble(error)
            status = HTTPResponse.Status(code: error.status)
        }
        var response = APIRoutes.answer("text/html; charset=utf-8", ByteBuffer(string: page.html))
        response.status = status
        return response
    }
}
