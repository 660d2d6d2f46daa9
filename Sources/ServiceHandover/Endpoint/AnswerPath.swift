import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// An answer broke off because the rest of its request was malformed; the connection ends.
struct MalformedRequestBody: Error {}

/// Runs a responder for one request and writes its answer, as Hummingbird's own application does.
struct AnswerPath<Responder: HTTPResponder>: Sendable
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let responder: Responder
    let serverName: String?
    let logger: Logger
    let date = HTTPDate()

    @concurrent
    func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        let response = try await withLogger(logger) { logger in
            try await respond(to: request, channel: channel, logger: logger)
        }
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch is HTTPParserError {
            // Passing the parser's error on would have a second answer written after this one.
            throw MalformedRequestBody()
        }
    }

    private func respond(to request: Request, channel: any Channel, logger: Logger) async throws -> Response {
        let context = Responder.Context(source: .init(channel: channel, logger: logger))
        var response: Response
        do {
            response = try await responder.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            logger.debug("Unrecognised Error", metadata: ["error.type": "\(error)"])
            response = Response(status: .internalServerError, body: .init())
        }
        response.headers[.date] = date.now()
        if let serverName { response.headers[.server] = serverName }
        return response
    }
}

/// The present time as HTTP writes it (RFC 9110, section 5.6.7), made anew once a second.
package final class HTTPDate: Sendable {
    private let cache = Mutex((second: time_t.min, text: ""))

    func now() -> String {
        let second = time(nil)
        return cache.withLock { cache in
            if cache.second != second { cache = (second, Self.text(second)) }
            return cache.text
        }
    }

    package static func text(_ second: Int) -> String {
        var second: time_t = second
        var parts = tm()
        gmtime_r(&second, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(padded).joined(separator: ":")
        return "\(days[Int(parts.tm_wday)]), \(padded(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(parts.tm_year + 1900) \(time) GMT"
    }

    private static func padded(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
