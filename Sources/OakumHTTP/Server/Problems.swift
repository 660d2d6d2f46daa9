import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OakumAPI

/// The outermost middleware: turns errors into problem details, and adds the headers every answer carries.
struct Problems: RouterMiddleware {
    typealias Context = OakumContext

    let headers: HTTPFields
    let clock: WallClock
    /// People look at it with a browser: outside of the API they get pages, not problem details.
    var hasPages = false

    func handle(
        _ request: Request, context: OakumContext, next: @concurrent (Request, OakumContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let failure = Self.failure(error, context)
            response = wantsPage(request) ? failure.pageResponse : failure.response
        }
        response.headers[.date] = HTTPDate.text(clock.now())
        for field in headers where response.headers[field.name] == nil {
            response.headers.append(field)
        }
        return response
    }

    private func wantsPage(_ request: Request) -> Bool {
        guard hasPages, !request.uri.path.hasPrefix("/api/") else { return false }
        return request.headers[.accept]?.contains("text/html") == true
    }

    private static func failure(_ error: any Error, _ context: OakumContext) -> HTTPFailure {
        switch error {
        case let error as ControlError: return HTTPFailure(Problem(error))
        case let error as HTTPFailure: return error
        case let error as HTTPError where error.status == .notFound: return .noSuchPath
        case let error as HTTPError:
            let status = error.status
            let detail = error.body ?? status.reasonPhrase
            return HTTPFailure(
                Problem(title: status.reasonPhrase, status: status.code, detail: detail, code: "http_error"))
        default:
            // The text may name files or addresses: it goes to the log, not to the client.
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return HTTPFailure(Problem(.failed("an unexpected error; oakum's log has the details")))
        }
    }

    /// The status an error is answered with.
    static func status(of error: any Error) -> Int {
        switch error {
        case let error as ControlError: error.status
        case let error as HTTPFailure: error.problem.status
        case let error as HTTPError: error.status.code
        default: 500
        }
    }

    /// What may be told of an error; nil for those that may name files or addresses.
    static func words(of error: any Error) -> String? {
        switch error {
        case let error as ControlError: error.message
        case let error as HTTPFailure: error.problem.detail
        default: nil
        }
    }
}
