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

    let drain = DrainFlag()
    let counters = TrafficCounters()
    private let limits: Limits
    private let http: HTTP1Channel
    private let group: any EventLoopGroup
    private let logger: Logger
    private let acceptor: Acceptor
    private let queue = ConnectionQueue<CInt>()
    private let connections = Mutex<[ObjectIdentifier: NIOLoopBound<Connection>]>([:])

    init(
        limits: Limits, group: any EventLoopGroup, logger: Logger,
        responder: @escaping HTTPChannelHandler.Responder
    ) throws(HandoverError) {
        self.limits = limits
        self.group = group
        self.logger = logger
        acceptor = try Acceptor(
            maximum: limits.maximumConnections,
            unreadAnswerMilliseconds: CInt(clamping: limits.unreadAnswer.nanoseconds / 1_000_000), logger: logger)
        let header = limits.connection.headerBytes
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: header, maxHeaderListSize: header, maxHeaderFieldCount: 256)))
    }

    // MARK: Serving

    /// Takes a listening socket over without accepting yet.
    func open(_ listener: CInt) { acceptor.add(listener, backlog: limits.backlog) }

    /// Where this endpoint listens, while it does.
    var addresses: [ListenAddress] { acceptor.listeners.compactMap(ListenAddress.init(listener:)) }

    /// Begins to accept.
    func startAccepting() { acceptor.start() }

    /// Accepts on a thread of its own until `stopAccepting`; false when a listening socket broke.
    func accept() async -> Bool {
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        var succeeded = false
        do {
            succeeded = try await thread.runIfActive { [acceptor, queue] in acceptor.run { queue.put($0) } }
        } catch {
            // Cancelled before it began.
            logger.debug("not accepting: \(error)")
            acceptor.closeAll()
        }
        queue.finish()
        do {
            try await thread.shutdownGracefully()
        } catch {
            logger.warning("the accepting thread did not end: \(error)")
        }
        return succeeded
    }

    /// Serves connections until `accept` has returned and the last one has ended.
    func serve() async {
        await withDiscardingTaskGroup { tasks in
            while true {
                switch await queue.next() {
                case .serve(let connection):
                    tasks.addTask { await self.serve(connection) }
                case .cancelAll:
                    tasks.cancelAll()
                case .finished:
                    return
                }
            }
        }
    }

    private func serve(_ descriptor: CInt) async {
        do {
            let value = try await ClientBootstrap(group: group)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .withConnectedSocket(descriptor) { self.setUp($0) }
            await http.handle(value: value, logger: logger)
        } catch {
            logger.debug("a connection ended while it was set up: \(error)")
        }
        acceptor.connectionEnded()
        queue.wasServed()
    }

    /// Builds the pipeline of an accepted connection; runs on its event loop.
    private func setUp(_ channel: any Channel) -> EventLoopFuture<HTTP1Channel.Value> {
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
            self.connections.withLock { $0[key] = bound }
            channel.closeFuture.whenComplete { _ in
                self.connections.withLock { _ = $0.removeValue(forKey: key) }
            }
            return value
        }
    }

    // MARK: Ending

    /// Accepts no more and closes this process's descriptors; connections accepted before go on being served.
    func stopAccepting() async { await acceptor.stop() }

    /// Closes every connection, counting what that cuts, and cancels the work for it.
    func cutConnections() async {
        for connection in connections.withLock({ Array($0.values) }) {
            connection.eventLoop.execute { _ = connection.value.cut() }
        }
        await settled()
        queue.cancelAll()
    }

    /// Closes connections on which nothing is going on.
    func closeIdleConnections() {
        for connection in connections.withLock({ Array($0.values) }) {
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
