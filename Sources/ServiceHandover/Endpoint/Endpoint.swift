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

    private struct Listener: Sendable {
        let channel: any Channel
        let gate: NIOLoopBound<AcceptGate>
    }

    private struct State {
        var listeners: [Listener] = []
        var connections: [ObjectIdentifier: NIOLoopBound<Connection>] = [:]
        var isStopping = false
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
    func open(_ descriptor: CInt) async throws {
        // Held beside the channel's own, so that the number cannot come to mean another file meanwhile.
        let spare = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        defer { Glibc.close(spare) }
        let opening = bootstrap(isTCP: Self.isTCP(descriptor)).withBoundSocket(descriptor)
        // Taking the socket over called `listen` with a backlog of 128, for every process that shares it.
        if listen(spare, limits.backlog) != 0 {
            logger.warning("could not restore the backlog: \(String(cString: strerror(errno)))")
        }
        let channel = try await opening.get()
        let gate = try await channel.eventLoop.submit {
            let gate = try channel.pipeline.syncOperations.handler(type: AcceptGate.self)
            try channel.pipeline.syncOperations.addHandler(
                AcceptedWatch(gate: gate, logger: self.logger), position: .last)
            return NIOLoopBound(gate, eventLoop: channel.eventLoop)
        }.get()
        channel.closeFuture.whenComplete { _ in
            if self.state.withLock({ !$0.isStopping }) { self.broken.yield() }
        }
        state.withLock { $0.listeners.append(Listener(channel: channel, gate: gate)) }
    }

    private func bootstrap(isTCP: Bool) -> ServerBootstrap {
        let logger = self.logger
        let maximum = limits.maximumConnections
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(maximum: maximum, logger: logger))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { self.setUp($0) }
        guard isTCP else { return bootstrap }
        return bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
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
        state.withLock { $0.listeners }.compactMap { $0.channel.localAddress.flatMap(ListenAddress.init(socket:)) }
    }

    /// Begins to accept.
    func startAccepting() {
        for listener in state.withLock({ $0.listeners }) {
            listener.channel.eventLoop.execute { listener.gate.value.start() }
        }
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
        let listeners = state.withLock { state in
            state.isStopping = true
            return state.listeners
        }
        for listener in listeners {
            let promise = listener.channel.eventLoop.makePromise(of: Void.self)
            listener.channel.eventLoop.execute { listener.gate.value.stop(promise) }
            do {
                try await promise.futureResult.get()
            } catch {
                logger.debug("a listening channel was closed already: \(error)")
            }
        }
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
