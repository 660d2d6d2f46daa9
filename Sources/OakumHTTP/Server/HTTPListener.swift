import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import ServiceLifecycle

/// What a request brings along.
struct OakumContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, for those who must be able to end it.
    let channel: any Channel
    /// Who asks; nil before the guard has looked, and on routes that ask nobody.
    var principal: Principal?
    /// Where from: an address, or "uid 1000".
    var place = "unknown"
    /// What the audit log is to know beside that.
    let audit = AuditNote()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Serves HTTP/1.1 on one socket until told to end: the shell both servers share.
struct HTTPListener: Sendable {
    /// What to serve on.
    enum Socket: Sendable {
        case address(SocketAddress)
        /// Bound already; the listener owns it from `run` on.
        case bound(CInt)
    }

    typealias Connection = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let socket: Socket
    let responder: RouterResponder<OakumContext>
    /// Asked once for each connection, before its first request is read; a refusal is the only answer it gets.
    var admit: @Sendable (any Channel) async -> HTTPFailure? = { _ in nil }
    /// The most bytes of a body sent to a path.
    var bodyLimit: @Sendable (_ path: String) -> Int = { _ in RequestLimits.bodyBytes }
    /// Called with the listening channel once connections are accepted.
    let onBound: @Sendable (any Channel) -> Void
    /// Called when the end is asked for; ends what would otherwise go on for ever (streams).
    let onEnding: @Sendable () -> Void
    let logger: Logger

    /// Connections at once, on one server. Further ones are closed unanswered.
    private static let maxConnections = 256
    /// A connection without a complete request for so long is closed.
    private static let idleTimeout = TimeAmount.seconds(30)
    /// How long answers under way may take once the end is asked for.
    private static let grace = TimeAmount.seconds(3)

    /// Returns after a graceful shutdown or cancellation, with every connection closed.
    func run() async throws {
        let http = makeChannelSetup()
        let open = OpenConnections(limit: Self.maxConnections)
        let server = try await bind(open)
        onBound(server.channel)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                try await server.executeThenClose { inbound in
                    for try await channel in inbound {
                        group.addTask { await serve(channel, http: http) }
                    }
                }
            }
        } onCancelOrGracefulShutdown: {
            onEnding()
            server.channel.close(promise: nil)
            open.end(grace: Self.grace)
        }
    }

    private func serve(_ channel: any Channel, http: HTTP1Channel) async {
        do {
            let connection = try await wrap(channel, http)
            if let refusal = await admit(channel) {
                try await refuse(connection, refusal)
            } else {
                await http.handle(value: connection, logger: logger)
            }
        } catch {
            logger.trace("a connection was gone before its answer", metadata: ["error": "\(error)"])
        }
    }

    /// Sets the pipeline up and lets reading begin.
    ///
    /// Only here, where the result is sure to be used: an asynchronous channel that is dropped unused (because the
    /// server ends between accept and this) stops the whole process.
    private func wrap(_ channel: any Channel, _ http: HTTP1Channel) async throws -> Connection {
        try await channel.eventLoop.flatSubmit {
            http.setup(channel: channel, logger: logger).map { connection in
                // Fails only for a connection that is gone, which its reader then sees.
                channel.setOption(ChannelOptions.autoRead, value: true).whenFailure { _ in }
                return connection
            }
        }.get()
    }

    private func refuse(_ connection: Connection, _ refusal: HTTPFailure) async throws {
        try await connection.executeThenClose { _, outbound in
            var head = HTTPResponse(status: refusal.status, headerFields: refusal.headers)
            let body = refusal.body
            head.headerFields[.contentLength] = "\(body.readableBytes)"
            head.headerFields[.connection] = "close"
            try await outbound.write(contentsOf: [.head(head), .body(body), .end(nil)])
        }
    }

    private func makeChannelSetup() -> HTTP1Channel {
        let bodyLimit = bodyLimit
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestLimits(limit: bodyLimit)], idleTimeout: Self.idleTimeout)
        configuration.httpDecoder = .init(
            maxHeaderFieldSize: 8192, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64)
        let responder = responder
        let logger = logger
        return HTTP1Channel(
            responder: { request, writer, channel in
                let context = OakumContext(source: .init(channel: channel, logger: logger))
                let response: Response
                do {
                    response = try await responder.respond(to: request, context: context)
                } catch {
                    // The outermost middleware answers every error; this is for its own.
                    logger.error("a request could not be answered", metadata: ["error": "\(error)"])
                    response = Response(status: .internalServerError)
                }
                try await writer.write(response: response.head, body: response.body)
            }, configuration: configuration)
    }

    private func bind(_ open: OpenConnections) async throws -> NIOAsyncChannel<any Channel, Never> {
        let accept: @Sendable (any Channel) -> EventLoopFuture<any Channel> = { channel in
            guard open.add(channel) else {
                channel.close(promise: nil)
                return channel.eventLoop.makeFailedFuture(NotAdmitted())
            }
            return channel.eventLoop.makeSucceededFuture(channel)
        }
        // Reading begins when the pipeline is there. A peer that does not read holds no more of the kernel's memory
        // than the send buffer given here.
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.backlog, value: 128)
            .childChannelOption(ChannelOptions.autoRead, value: false)
            .childChannelOption(ChannelOptions.socketOption(.so_sndbuf), value: 262_144)
        switch socket {
        case .address(let address):
            return
                try await bootstrap
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .bind(to: address, childChannelInitializer: accept)
        case .bound(let descriptor):
            return try await bootstrap.bind(descriptor, childChannelInitializer: accept)
        }
    }
}

/// Tells NIO to forget a connection that was closed before it began.
private struct NotAdmitted: Error {}
