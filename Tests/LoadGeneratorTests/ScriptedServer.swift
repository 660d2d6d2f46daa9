import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A little HTTP server that does what a test tells it, good or bad.
final class ScriptedServer: Sendable {
    enum Act: Sendable {
        /// Exactly these bytes.
        case answer(String)
        /// These bytes, then an orderly end of the connection.
        case answerAndClose(String)
        /// A TCP reset without an answer.
        case reset
        /// Nothing, for ever.
        case silence
        /// These bytes after so many milliseconds, and no answer to anybody meanwhile: a stuck process.
        case stallThenAnswer(milliseconds: Int64, String)
    }

    /// What the server knows when it decides: the request head and body as text, the number of requests before it on
    /// this connection, and over all connections.
    struct Request: Sendable {
        var text: String
        var onConnection: Int
        var overall: Int
    }

    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let counters: Counters

    var requests: Int { counters.requests.load(ordering: .relaxed) }
    var connections: Int { counters.connections.load(ordering: .relaxed) }
    /// Connections that are closed on this side.
    var closed: Int { counters.closed.load(ordering: .relaxed) }

    /// - Parameter socketPath: listen there instead of on a free port.
    init(socketPath: String? = nil, _ script: @escaping @Sendable (Request) -> Act) async throws {
        let counters = Counters()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                counters.connections.add(1, ordering: .relaxed)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(counters: counters, script: script))
                }
            }
        channel =
            if let socketPath {
                try await bootstrap.bind(unixDomainSocketPath: socketPath).get()
            } else {
                try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            }
        port = channel.localAddress?.port ?? 0
        self.group = group
        self.counters = counters
    }

    func stop() async throws {
        try await group.shutdownGracefully()
    }

    static let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    static func answer(_ status: Int, _ body: String = "", headers: String = "") -> String {
        "HTTP/1.1 \(status) X\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    private final class Counters: Sendable {
        let requests = Atomic(0)
        let connections = Atomic(0)
        let closed = Atomic(0)
        let stuckUntil = Atomic<UInt64>(0)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let counters: Counters
        private let script: @Sendable (Request) -> Act
        private var pending = ""
        private var served = 0

        init(counters: Counters, script: @escaping @Sendable (Request) -> Act) {
            self.counters = counters
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            pending += String(buffer: unwrapInboundIn(data))
            guard isComplete(pending) else { return }
            let request = Request(
                text: pending, onConnection: served,
                overall: counters.requests.add(1, ordering: .relaxed).oldValue)
            pending = ""
            served += 1
            act(script(request), context)
        }

        func channelInactive(context: ChannelHandlerContext) {
            counters.closed.add(1, ordering: .relaxed)
            context.fireChannelInactive()
        }

        private func isComplete(_ text: String) -> Bool {
            guard let end = text.range(of: "\r\n\r\n") else { return false }
            let length = text.split(separator: "\r\n").compactMap { line in
                line.hasPrefix("content-length: ") ? Int(line.dropFirst(16)) : nil
            }
            return text[end.upperBound...].utf8.count >= length.first ?? 0
        }

        private func act(_ act: Act, _ context: ChannelHandlerContext) {
            switch act {
            case .answer(let text): write(text, context)
            case .answerAndClose(let text):
                write(text, context)
                context.close(promise: nil)
            case .reset:
                // A linger time of nothing makes close(2) send a reset instead of an orderly end.
                let channel = context.channel
                guard let options = channel as? any SocketOptionProvider else { return }
                options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
            case .silence: break
            case .stallThenAnswer(let milliseconds, let text):
                let end = NIODeadline.now() + .milliseconds(milliseconds)
                counters.stuckUntil.store(end.uptimeNanoseconds, ordering: .relaxed)
                write(text, context)
            }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            let end = NIODeadline.uptimeNanoseconds(counters.stuckUntil.load(ordering: .relaxed))
            let buffer = ByteBuffer(string: text)
            guard end > .now() else { return context.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
            let channel = context.channel
            channel.eventLoop.scheduleTask(deadline: end) { channel.writeAndFlush(buffer, promise: nil) }
        }
    }
}

extension String {
    /// The first place of `text`; no Foundation here.
    fileprivate func range(of text: String) -> Range<Index>? {
        firstRange(of: text)
    }
}
