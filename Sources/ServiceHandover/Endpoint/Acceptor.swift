import CLinux
import Glibc
import Logging
import Synchronization

/// Accepts connections from listening sockets that other processes accept from too; runs on a thread of its own.
///
/// SwiftNIO's listening channel is not used, for four reasons found in its source (2.101): taking a socket over calls
/// `listen` with a backlog of 128 for all who share it; it drops connections that are being set up while it closes;
/// running out of descriptors makes it spin; and its debug builds trap when another process was quicker to accept.
final class Acceptor: Sendable {
    /// A connection that was accepted, and now belongs to whoever takes it from here.
    typealias Take = @Sendable (_ connection: CInt) -> Void

    private enum Phase { case waiting, accepting, stopping, stopped }

    private struct State {
        var phase = Phase.waiting
        var listeners: [CInt] = []
        var open = 0
        var isBroken = false
        var waitingForStop: [CheckedContinuation<Void, Never>] = []
    }

    private enum Outcome { case accepted, nothing, outOfResources(CInt), broken(CInt) }

    /// Taken from one socket at a time before the others, and the orders, are looked at again.
    private static let batch = 16
    /// How long accepting pauses when descriptors or memory run out: the kernel would report the socket at once again.
    private static let pauseMilliseconds: CInt = 100

    private let maximum: Int
    private let unreadAnswerMilliseconds: CInt
    private let logger: Logger
    private let state = Mutex(State())
    private let wakeup: CInt

    /// Makes an acceptor that holds at most `maximum` connections; further ones stay in the accept queue.
    init(maximum: Int, unreadAnswerMilliseconds: CInt, logger: Logger) throws(HandoverError) {
        self.maximum = maximum
        self.unreadAnswerMilliseconds = unreadAnswerMilliseconds
        self.logger = logger
        wakeup = linux_wake_open()
        guard wakeup >= 0 else {
            throw .cannotListen(address: "its sockets", reason: String(cString: strerror(-wakeup)))
        }
    }

    deinit {
        close(wakeup)
        for listener in state.withLock({ $0.listeners }) { close(listener) }
    }

    // MARK: Orders, from any thread

    /// Takes a listening socket over; it is closed at the end.
    func add(_ listener: CInt, backlog: CInt) {
        // Who took the socket over before us may have lowered the backlog for all.
        if listen(listener, backlog) != 0 {
            logger.warning("could not set the backlog: \(String(cString: strerror(errno)))")
        }
        // Another process may win the race for a connection; waiting for the next one would block this thread.
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL, 0) | O_NONBLOCK)
        state.withLock { $0.listeners.append(listener) }
    }

    /// The listening sockets, while they are open.
    var listeners: [CInt] { state.withLock { $0.listeners } }

    /// Begins to accept.
    func start() {
        state.withLock { if $0.phase == .waiting { $0.phase = .accepting } }
        linux_wake(wakeup)
    }

    /// Accepts no more and waits until this process's descriptors are closed.
    func stop() async {
        await withCheckedContinuation { continuation in
            let isStopped = state.withLock { state in
                if state.phase == .stopped { return true }
                state.phase = .stopping
                state.waitingForStop.append(continuation)
                return false
            }
            if isStopped { continuation.resume() } else { linux_wake(wakeup) }
        }
    }

    /// A connection that was taken has ended.
    func connectionEnded() {
        let wasFull = state.withLock { state in
            state.open -= 1
            return state.open == maximum - 1
        }
        if wasFull { linux_wake(wakeup) }
    }

    // MARK: The thread

    /// Accepts until stopped; false when a listening socket broke, which ends accepting too.
    func run(_ take: Take) -> Bool {
        var refusals = 0
        var failure: CInt?
        while failure == nil {
            let (phase, listeners, hasRoom) = state.withLock { ($0.phase, $0.listeners, $0.open < maximum) }
            guard phase != .stopping else { break }
            let isPaused = refusals > 0
            let polls = phase == .accepting && hasRoom && !isPaused
            var waits = ([wakeup] + (polls ? listeners : [])).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&waits, nfds_t(waits.count), isPaused ? Self.pauseMilliseconds : -1) >= 0 || errno == EINTR
            else {
                failure = errno
                break
            }
            if waits[0].revents != 0 { linux_wake_clear(wakeup) }
            let ready = isPaused ? listeners : waits.dropFirst().filter { $0.revents != 0 }.map(\.fd)
            for listener in ready {
                switch acceptBatch(from: listener, take) {
                case .accepted, .nothing:
                    if refusals > 0 { logger.info("accepting again", metadata: ["attempts": "\(refusals)"]) }
                    refusals = 0
                case .outOfResources(let code):
                    if refusals == 0 {
                        logger.warning("could not accept, trying again: \(String(cString: strerror(code)))")
                    }
                    refusals += 1
                case .broken(let code):
                    failure = code
                }
            }
        }
        if let failure { logger.error("a listening socket broke: \(String(cString: strerror(failure)))") }
        closeAll()
        return failure == nil
    }

    private func acceptBatch(from listener: CInt, _ take: Take) -> Outcome {
        for _ in 0..<Self.batch {
            guard state.withLock({ $0.phase == .accepting && $0.open < maximum }) else { return .nothing }
            let connection = linux_accept(listener)
            guard connection >= 0 else {
                switch -connection {
                case EAGAIN: return .nothing
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .outOfResources(-connection)
                case EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP, EFAULT: return .broken(-connection)
                // A client that has gone, or a network error that came with it: accept(2), "Error handling".
                default: continue
                }
            }
            // Fails on a Unix socket, which has no such option and needs none.
            var patience = unreadAnswerMilliseconds
            setsockopt(
                connection, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &patience, socklen_t(MemoryLayout<CInt>.size))
            state.withLock { $0.open += 1 }
            take(connection)
        }
        return .accepted
    }

    /// close(2) on our descriptors alone; shutdown(2) would end the sockets for every process that shares them.
    ///
    /// Called when `run` ends, or instead of it when it could not begin.
    func closeAll() {
        let (listeners, waiting) = state.withLock { state in
            state.phase = .stopped
            defer { (state.listeners, state.waitingForStop) = ([], []) }
            return (state.listeners, state.waitingForStop)
        }
        for listener in listeners { close(listener) }
        for continuation in waiting { continuation.resume() }
    }
}
