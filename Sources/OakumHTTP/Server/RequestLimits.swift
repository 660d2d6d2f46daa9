import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Bounds what one request may send, whatever the handler behind does with it.
///
/// A body announced as too long is refused unread with 413; one that goes on and on, or does not arrive in time, ends the
/// connection. (Headers are bounded by the decoder, a head that trickles by the idle timeout.)
final class RequestLimits: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    /// Commands are some hundred bytes.
    static let bodyBytes = 65_536
    /// Alertmanager sends a group of alerts at once.
    static let intakeBytes = 2 << 20

    /// The limit of the console's listener.
    static let ofConsole: @Sendable (_ path: String) -> Int = { path in
        path.hasPrefix("/intake/") || path.hasPrefix("/api/v2/alerts") ? intakeBytes : bodyBytes
    }
    /// A body of unannounced length may run over by this much, so that its sender still reads the handler's 413.
    private static let slack = 1 << 20
    /// For a body to arrive, and for a refused client to notice.
    private static let patience = TimeAmount.seconds(10)

    private let limitOf: @Sendable (_ path: String) -> Int
    private var limit = RequestLimits.bodyBytes
    private var received = 0
    private var refused = false
    private var timer: Scheduled<Void>?

    init(limit: @escaping @Sendable (_ path: String) -> Int) {
        limitOf = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !refused else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            received = 0
            limit = limitOf(head.path ?? "")
            if let length = head.headerFields[.contentLength].flatMap(Int.init), length > limit {
                return refuse(context)
            }
            startTimer(context)
        case .body(let part):
            received += part.readableBytes
            guard received <= limit + Self.slack else { return context.close(promise: nil) }
        case .end:
            stopTimer()
        }
        context.fireChannelRead(data)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopTimer()
    }

    private func refuse(_ context: ChannelHandlerContext) {
        refused = true
        let failure = HTTPFailure.tooLarge(limit)
        let body = failure.body
        var head = HTTPResponse(status: failure.status, headerFields: failure.headers)
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        // Closing with unread input would reset the connection before the client has seen the answer: say that no
        // more comes, let it hang up, and hang up for it when it does not. What it sends meanwhile is dropped.
        context.close(mode: .output, promise: nil)
        startTimer(context)
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        stopTimer()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }
}
