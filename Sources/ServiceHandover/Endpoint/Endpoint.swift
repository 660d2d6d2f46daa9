import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import NIOPosix
import Synchronization

/// Listening sockets, the connections they brought, and the application protocol that runs on each.
final class Endpoint: Sendable {
    /// What bounds an endpoint's connections.
    struct Limits: Sendable {
        var connection: ConnectionState.Limits
        var idleSeconds: Int64
        var unreadAnswer: TimeAmount
        var maximumConnections: Int
        var backlog: Int32
    }

    private struct State {
        var acceptors: [Acceptor] = []
        var connections: [ObjectIdentifier: NIOLoopBound<Connection>] = [:]
    }

    let drain = DrainFlag()
    let counters = TrafficCounters()
    private let limits: Limits
    private let http: HTTP1Channel
    private let group: any EventLoopGroup
    private let logger: Logger
    private let queue = ConnectionQueue<HTTP1Channel.Value>()
    private let state = Mutex(State())
    private let breakage: AsyncStream<Void>
    private let broken: AsyncStream<Void>.Continuation

    init(
        limits: Limits, group: any EventLoopGroup, logger: Logger,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.limits = limits
        self.group = group
        self.logger = logger
        (breakage, broken) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let header = limits.connection.headerBytes
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: header, maxHeaderListSize: header, maxHeaderFieldCount: 256)))
    }

    // MARK: Opening

    /// Takes over a listening socket without accepting yet; on an error the descriptor is closed.
    func open(_ descriptor: CInt) throws {
        // Whoever made it may have asked for a shorter queue; asking again changes it, for all who share it.
        if listen(descriptor, limits.backlog) != 0 {
            logger.warning("could not set the backlog: \(String(cString: strerror(errno)))")
        }
        let isTCP = Self.isTCP(descriptor)
        let broken = broken
        let acceptor = try Acceptor(
            descriptor, maximum: limits.maximumConnections, logger: logger,
            adopt: { self.bootstrap(isTCP: isTCP).withConnectedSocket($0) }, broke: { broken.yield() })
        state.withLock { $0.acceptors.append(acceptor) }
    }

    private func bootstrap(isTCP: Bool) -> ClientBootstrap {
        let bootstrap = ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { self.setUp($0) }
        guard isTCP else { return bootstrap }
        return bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT)),
                value: Int(limits.unreadAnswer.nanoseconds / 1_000_000))
    }

    private static func isTCP(_ descriptor: CInt) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return result == 0 && address.ss_family != sa_family_t(AF_UNIX)
    }

    /// Builds the pipeline of an accepted connection; runs on its event loop.
    private func setUp(_ channel: any Channel) -> EventLoopFuture<Void> {
        let connection = Connection(
            channel: channel, limits: limits.connection, idleSeconds: limits.idleSeconds, drain: drain,
            counters: counters)
        do {
            try channel.pipeline.syncOperations.addHandler(ConnectionEdge(connection))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        return http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let operations = channel.pipeline.syncOperations
            let codec = try operations.handler(type: HTTP1ToHTTPServerCodec.self)
            try operations.addHandler(ConnectionMessages(bound.value), position: .before(codec))
            let key = ObjectIdentifier(channel)
            self.state.withLock { $0.connections[key] = bound }
            channel.closeFuture.whenComplete { _ in
                self.state.withLock { _ = $0.connections.removeValue(forKey: key) }
            }
            self.queue.put(value)
        }
    }

    // MARK: Serving

    /// Where this endpoint listens.
    var addresses: [ListenAddress] {
        state.withLock { $0.acceptors }.compactMap(\.address)
    }

    /// Begins to accept.
    func startAccepting() {
        for acceptor in state.withLock({ $0.acceptors }) { acceptor.start() }
    }

    /// Serves connections until `stopAccepting` was called and the last one has ended.
    func serve() async {
        await withDiscardingTaskGroup { connections in
            while true {
                switch await queue.next() {
                case .serve(let value):
                    connections.addTask {
                        await self.http.handle(value: value, logger: self.logger)
                        self.queue.wasServed()
                    }
                case .cancelAll:
                    connections.cancelAll()
                case .finished:
                    return
                }
            }
        }
    }

    /// Waits until a listening socket has closed though nobody asked for it, or until cancelled.
    func listenerBroke() async {
        for await _ in breakage { return }
    }

    // MARK: Ending

    /// Accepts no more and closes this process's descriptors; connections accepted before go on being served.
    func stopAccepting() async {
        let acceptors = state.withLock { state in
            defer { state.acceptors = [] }
            return state.acceptors
        }
        for acceptor in acceptors { await acceptor.stop(on: group.next()) }
        queue.finish()
    }

    /// Closes every connection, counting what that cuts, and cancels the work for it.
    func cutConnections() async {
        for connection in state.withLock({ Array($0.connections.values) }) {
            connection.eventLoop.execute { _ = connection.value.cut() }
        }
        await settled()
        queue.cancelAll()
    }

    /// Closes connections on which nothing is going on.
    func closeIdleConnections() {
        for connection in state.withLock({ Array($0.connections.values) }) {
            connection.eventLoop.execute { connection.value.closeIfIdle() }
        }
    }

    /// Waits until every event loop has finished what it was doing, so that the counters hold all that was written.
    func settled() async {
        for loop in group.makeIterator() {
            do {
                try await loop.submit {}.get()
            } catch {
                logger.debug("an event loop has ended: \(error)")
            }
        }
    }
}
