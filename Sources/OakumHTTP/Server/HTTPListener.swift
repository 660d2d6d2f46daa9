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
        let logger = logger
        let server = try await bind { channel in http.setup(channel: channel, logger: logger) }
        let open = OpenConnections(limit: Self.maxConnections)
        onBound(server.channel)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                try await server.executeThenClose { inbound in
                    for try await connection in inbound {
                        guard open.add(connection.channel) else {
                            group.addTask { await Self.drop(connection) }
                            continue
                        }
                        group.addTask {
                            await serve(connection, http: http)
                            open.remove(connection.channel)
                        }
                    }
                }
            }
        } onCancelOrGracefulShutdown: {
            onEnding()
            server.channel.close(promise: nil)
            open.end(grace: Self.grace)
        }
    }

    private func serve(_ connection: Connection, http: HTTP1Channel) async {
        guard let refusal = await admit(connection.channel) else {
            await http.handle(value: connection, logger: logger)
            return
        }
        do {
            try await connection.executeThenClose { _, outbound in
                var head = HTTPResponse(status: refusal.status, headerFields: refusal.headers)
                let body = refusal.body
                head.headerFields[.contentLength] = "\(body.readableBytes)"
                head.headerFields[.connection] = "close"
                try await outbound.write(contentsOf: [.head(head), .body(body), .end(nil)])
            }
        } catch {
            logger.trace("a refused connection was gone before its answer", metadata: ["error": "\(error)"])
        }
    }

    private static func drop(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { _, _ in }
        } catch {
            // Gone already: nothing is lost.
        }
    }

    private func makeChannelSetup() -> HTTP1Channel {
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestLimits()], idleTimeout: Self.idleTimeout)
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

    private func bind(
        _ setup: @escaping @Sendable (any Channel) -> EventLoopFuture<Connection>
    ) async throws -> NIOAsyncChannel<Connection, Never> {
        // A reader that does not read holds no more of the kernel's memory than this.
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.backlog, value: 128)
            .childChannelOption(ChannelOptions.socketOption(.so_sndbuf), value: 262_144)
        switch socket {
        case .address(let address):
            return
                try await bootstrap
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .bind(to: address, childChannelInitializer: setup)
        case .bound(let descriptor):
            return try await bootstrap.bind(descriptor, childChannelInitializer: setup)
        }
    }
}
