import Glibc
import NIOCore

/// One client connection: at most one request at a time, never a second try. Lives on the core's event loop alone.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Strong: the cycle ends when the connection has closed and the core forgets it.
    private let core: LoadCore
    let target: Int
    /// Its place in the core's list of connections.
    var place = 0
    private(set) var job: Job?
    private var context: ChannelHandlerContext?
    private var parser = ResponseParser()
    private var answers = 0
    private var idleSince = NIODeadline.uptimeNanoseconds(0)
    private var windowSeconds: Double?
    private(set) var isClosed = false

    init(core: LoadCore, target: Int, job: Job) {
        self.core = core
        self.target = target
        self.job = job
    }

    /// A pool that honours the advertised window gives the connection up before the server does.
    func isUsable(at now: NIODeadline, honoursKeepAlive: Bool) -> Bool {
        guard !isClosed, context != nil else { return false }
        guard honoursKeepAlive, let windowSeconds else { return true }
        let margin = min(windowSeconds / 5, 1)
        return Double((now - idleSince).nanoseconds) / 1e9 < windowSeconds - margin
    }

    /// Takes up a request on an idle connection.
    func take(_ job: Job) {
        self.job = job
        send()
    }

    /// Gives up the request under way: its time is over.
    func expire() {
        let detail = context == nil ? "no connection within the timeout" : "no complete answer within the timeout"
        fail(.timedOut, detail)
    }

    /// Closes without judging anything.
    func close() {
        isClosed = true
        context?.close(promise: nil)
    }

    /// The connection attempt failed.
    func connectFailed(_ error: any Error) {
        isClosed = true
        guard job != nil else { return }
        let judged = judge(connectError: error)
        end(.failed(judged.kind, status: nil, detail: judged.detail))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.context = context }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard job != nil, !isClosed else { return close() }
        send()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        // Bytes nobody asked for on an idle connection (a 408, say): a pool drops such a connection.
        guard job != nil else { return close() }
        switch buffer.withUnsafeReadableBytes({ parser.consume($0) }) {
        case .needsMore: break
        case .complete(leftover: 0): answered()
        case .complete(let leftover): fail(.protocolError, "\(leftover) bytes after the answer")
        case .malformed(let why): fail(.protocolError, why)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        self.context = nil
        if job != nil {
            if parser.end() {
                answered()
            } else {
                fail(.closedEarly, endedEarlyDetail)
            }
        }
        core.closed(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        broke(error)
    }

    private func send() {
        guard let job, let context else { return }
        let request = core.request(of: job)
        guard let bytes = core.bytes(of: job) else {
            return end(.failed(.notSent, status: nil, detail: "nothing was captured yet for its variables"))
        }
        parser.reset(isHead: request.method == "HEAD", keepsBody: request.readsBody)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenFailure { [self] error in
            if self.job?.index == job.index { broke(error) }
        }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: promise)
    }

    private func answered() {
        guard let job else { return }
        answers += 1
        let status = parser.status
        let outcome = core.judge(job, status: status, body: parser.body)
        windowSeconds = parser.keepAliveSeconds ?? windowSeconds
        idleSince = .now()
        let closes = parser.closesConnection || job.isAlone || isClosed
        self.job = nil
        if closes { close() } else { core.rests(self, at: idleSince) }
        core.ended(job, outcome, at: idleSince)
    }

    private func broke(_ error: any Error) {
        guard job != nil else { return close() }
        let number = (error as? IOError)?.errnoCode
        switch number {
        case ECONNRESET, EPIPE, ECONNABORTED: fail(.reset, endedEarlyDetail)
        default: fail(.reset, "\(error)")
        }
    }

    private func fail(_ kind: FailureKind, _ detail: String) {
        let status = parser.status == 0 ? nil : parser.status
        end(.failed(kind, status: kind == .timedOut ? nil : status, detail: detail))
    }

    private func end(_ outcome: RequestOutcome) {
        guard let job else { return }
        self.job = nil
        close()
        core.ended(job, outcome, at: .now())
    }

    private var endedEarlyDetail: String {
        let when = parser.hasBegun ? "within the answer" : "before any byte of the answer"
        return answers == 0 ? "\(when), on a new connection" : "\(when), on a connection used \(answers) times before"
    }
}

/// Which kind of failure a failed connection attempt is.
private func judge(connectError error: any Error) -> (kind: FailureKind, detail: String) {
    if case ChannelError.connectTimeout = error { return (.timedOut, "no connection within the timeout") }
    guard let number = (error as? IOError)?.errnoCode else { return (.refused, "\(error)") }
    switch number {
    case ECONNREFUSED: return (.refused, "connection refused")
    case ECONNRESET, EPIPE, ECONNABORTED: return (.reset, "reset while connecting")
    case ETIMEDOUT: return (.timedOut, "no connection within the kernel's timeout")
    case EMFILE, ENFILE: return (.notSent, "no file descriptor left: raise the limit (ulimit -n)")
    case EADDRNOTAVAIL, EADDRINUSE: return (.notSent, "no local port left")
    case ENOBUFS, ENOMEM: return (.notSent, "no kernel memory left")
    default: return (.refused, "connecting failed: errno \(number)")
    }
}
