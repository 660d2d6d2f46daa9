import NIOCore
import NIOHTTP1
import Synchronization

/// Whether the service is about to go; read when the head of an answer is written.
final class DrainFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    /// Whether the drain has begun.
    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() { raised.store(true, ordering: .releasing) }
}

/// One connection: keeps its state, its one timer and its counts; lives on its channel's event loop.
///
/// Two handlers feed it: `ConnectionEdge` sees the bytes, `ConnectionMessages` the parsed requests and answers.
final class Connection {
    let channel: any Channel
    private(set) var state: ConnectionState
    private let idleSeconds: Int64
    private let drain: DrainFlag
    private let counters: TrafficCounters
    private var edge: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var timerAt = NIODeadline.distantFuture
    private var answerCode = 0
    /// When the requests that are owed an answer began, oldest first.
    private var begun = CircularBuffer<NIODeadline>()

    init(
        channel: any Channel, limits: ConnectionState.Limits, idleSeconds: Int64, drain: DrainFlag,
        counters: TrafficCounters
    ) {
        self.channel = channel
        self.idleSeconds = idleSeconds
        self.drain = drain
        self.counters = counters
        state = ConnectionState(limits: limits, now: .now())
    }

    // MARK: From the edge

    func attached(edge: ChannelHandlerContext) { self.edge = edge }

    func active() {
        counters.connectionOpened()
        arm()
    }

    /// False: drop the bytes.
    func received(_ count: Int) -> Bool {
        guard !state.discardsInput else { return false }
        state.bytesRead(count, now: .now())
        return true
    }

    func parsed() {
        if state.headIsTooLarge {
            refuse(.requestHeaderFieldsTooLarge)
        } else {
            arm()
        }
    }

    func readWanted(_ wanted: Bool) {
        state.wantsRead = wanted
        if wanted { arm() }
    }

    func inputEnded() {
        state.inputEnded()
        // We have ended before: both sides are done.
        if state.discardsInput { channel.close(promise: nil) }
    }

    func outputEnded() {
        guard !state.discardsInput else { return }
        state.outputEnded(now: .now())
        // The service may have stopped asking for bytes; what the client still sends has to be read and dropped.
        edge?.read()
        arm()
    }

    func inactive() {
        timer?.cancel()
        timer = nil
        edge = nil
        counters.connectionClosed()
        if !state.owed.isEmpty { counters.aborted(state.owed.count) }
    }

    // MARK: From the messages

    /// False: the request is not taken.
    func requestHead(_ head: HTTPRequestHead) -> Bool {
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        let taken = state.requestHead(
            .init(keepsAlive: head.isKeepAlive, isOldVersion: head.version != .http1_1),
            bodyBytes: length ?? (head.headers.contains(name: "transfer-encoding") ? nil : 0))
        if taken {
            begun.append(.now())
            counters.requestBegan()
        }
        return taken
    }

    func requestBody(_ count: Int) { state.requestBody(count) }

    func requestEnd() { state.requestEnd(now: .now()) }

    /// Makes the head say what happens to the connection.
    func frame(_ head: inout HTTPResponseHead) {
        answerCode = Int(head.status.code)
        let closes = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        let bodyless = head.status.code == 204 || head.status.code == 304
        let answer = state.answerHead(
            closes: closes, knowsLength: bodyless || head.headers.contains(name: "content-length"),
            isDraining: drain.isRaised)
        head.version = answer.isOldVersion ? .http1_0 : .http1_1
        head.headers.remove(name: "keep-alive")
        if answer.closes {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        } else {
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
            head.headers.add(name: "Keep-Alive", value: "timeout=\(idleSeconds)")
        }
    }

    /// Whether the present answer goes to a client of HTTP/1.0, which knows no informational ones.
    var answersOldVersion: Bool { state.owed.first?.isOldVersion ?? false }

    func answerWritten() {
        let now = NIODeadline.now()
        let since = state.owed.isEmpty ? nil : begun.popFirst()
        counters.answered(code: answerCode, after: since.map { UInt64(max(0, (now - $0).nanoseconds)) })
        if state.answerWritten(now: now) {
            end()
        } else {
            arm()
        }
    }

    // MARK: Ending

    /// Closes at the deadline of a drain, and counts what that cut; returns it for the log.
    func cut() -> ConnectionState.Cut {
        let cut = state.cut
        counters.cut(cut)
        channel.close(promise: nil)
        return cut
    }

    /// Closes unless a request is being read or answered.
    func closeIfIdle() {
        if state.cut != .request { channel.close(promise: nil) }
    }

    private func end() {
        if state.remoteHasEnded {
            channel.close(promise: nil)
        } else {
            // Passes `ConnectionEdge`, which reports `outputEnded`.
            channel.close(mode: .output, promise: nil)
        }
    }

    /// Answers bytes that never became a request, past the HTTP machinery; only when no answer is owed.
    private func refuse(_ status: HTTPResponseStatus) {
        guard let edge else { return }
        guard state.owed.isEmpty else {
            channel.close(promise: nil)
            return
        }
        var buffer = channel.allocator.buffer(capacity: 128)
        buffer.writeString(
            "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        counters.answered(code: Int(status.code), after: nil)
        edge.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)), promise: nil)
        end()
    }

    // MARK: Waiting

    /// Keeps one timer that fires at or before the present deadline; later deadlines are looked up when it fires.
    private func arm() {
        guard channel.isActive, let deadline = state.deadline, deadline.at < timerAt else { return }
        timer?.cancel()
        timerAt = deadline.at
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        timer = channel.eventLoop.scheduleTask(deadline: deadline.at) { bound.value.timerFired() }
    }

    private func timerFired() {
        timer = nil
        timerAt = .distantFuture
        guard let deadline = state.deadline else { return }
        guard deadline.at <= .now() else {
            arm()
            return
        }
        switch deadline.wait {
        case .idle, .linger:
            channel.close(promise: nil)
        case .header:
            counters.timedOut(.header)
            refuse(.requestTimeout)
        case .body:
            counters.timedOut(.body)
            channel.close(promise: nil)
        }
    }
}
