import CLinux
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Accepts the connections of one listening socket, on a thread of its own.
///
/// Not NIO's listening channel, because the socket is shared: when another worker is faster, `accept` finds nothing,
/// which that channel holds to be impossible (debug builds trap) – and it cannot tell when the connections it accepted
/// have been set up, which a drain has to know.
final class Acceptor: Sendable {
    private struct State {
        var mayAccept = false
        var isStopping = false
        var hasEnded = false
        /// Accepted, and not closed again.
        var open = 0
        /// Accepted, and not set up yet.
        var settingUp = 0
        var stopped: EventLoopPromise<Void>?
    }

    /// What the thread does next.
    private enum Step { case accept, wait, end }

    let address: ListenAddress?
    private let descriptor: CInt
    private let wake: CInt
    private let maximum: Int
    private let logger: Logger
    private let adopt: @Sendable (CInt) -> EventLoopFuture<any Channel>
    private let broke: @Sendable () -> Void
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())

    /// How long accepting rests after an error that passes (no descriptors left): the socket stays readable meanwhile,
    /// so that without a rest this would spin.
    private static let rest: CInt = 100
    /// Connections taken at a time, before the others that share the socket get their turn.
    private static let batch = 4

    /// Takes the listening socket over; accepts nothing before `start`.
    ///
    /// - Parameters:
    ///   - adopt: makes a channel of a connected socket; fails when that is not possible.
    ///   - broke: called when the socket stopped working though nobody asked for it.
    init(
        _ descriptor: CInt, maximum: Int, logger: Logger,
        adopt: @escaping @Sendable (CInt) -> EventLoopFuture<any Channel>, broke: @escaping @Sendable () -> Void
    ) throws {
        self.descriptor = descriptor
        self.maximum = maximum
        self.logger = logger
        self.adopt = adopt
        self.broke = broke
        address = Self.localAddress(descriptor)
        wake = linux_wake_open()
        let flags = fcntl(descriptor, F_GETFL)
        guard wake >= 0, flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
            let error = IOError(errnoCode: errno, reason: "prepare a listening socket")
            close(descriptor)
            if wake >= 0 { close(wake) }
            throw error
        }
        thread.start()
        thread.submit { _ in self.run() }
    }

    /// Begins to accept.
    func start() { change { $0.mayAccept = true } }

    /// Accepts no more, closes this process's descriptor, and returns once all accepted connections are set up.
    /// Connections nobody accepted stay in the socket's queue for other workers: close(2) ends our descriptor alone,
    /// shutdown(2) would end the socket for all.
    func stop(on loop: any EventLoop) async {
        let promise = loop.makePromise(of: Void.self)
        change { state in
            state.isStopping = true
            state.stopped = promise
        }
        tellWhenStopped()
        do {
            try await promise.futureResult.get()
            try await thread.shutdownGracefully()
        } catch {
            logger.debug("the accepting thread did not end in order: \(error)")
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        linux_wake(wake)
    }

    // MARK: The thread

    private func run() {
        while true {
            switch step() {
            case .accept: if ready(descriptor, milliseconds: -1), !acceptBatch() { return end(broken: true) }
            case .wait: _ = ready(nil, milliseconds: -1)
            case .end: return end(broken: false)
            }
        }
    }

    private func step() -> Step {
        state.withLock { state in
            if state.isStopping { return .end }
            return state.mayAccept && state.open < maximum ? .accept : .wait
        }
    }

    /// Waits until the socket has a connection or somebody wakes us; tells whether it was the socket.
    private func ready(_ socket: CInt?, milliseconds: CInt) -> Bool {
        var watched = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        if let socket { watched.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        guard poll(&watched, nfds_t(watched.count), milliseconds) > 0 else { return false }
        if watched[0].revents != 0 { linux_wake_clear(wake) }
        return watched.count > 1 && watched[1].revents != 0
    }

    /// False when the socket is beyond use.
    private func acceptBatch() -> Bool {
        for _ in 0..<Self.batch {
            let connection = linux_accept(descriptor)
            guard connection < 0 else {
                take(connection)
                guard case .accept = step() else { return true }
                continue
            }
            switch -connection {
            case EAGAIN:
                // Another worker was faster.
                return true
            case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                ENETUNREACH:
                // Errors of the connection, not of the socket: accept(2).
                continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                logger.warning("could not accept a connection, trying again shortly: \(Self.words(-connection))")
                _ = ready(nil, milliseconds: Self.rest)
                return true
            default:
                logger.error("a listening socket stopped working: \(Self.words(-connection))")
                return false
            }
        }
        return true
    }

    private func take(_ connection: CInt) {
        state.withLock { state in
            state.open += 1
            state.settingUp += 1
        }
        adopt(connection).whenComplete { result in
            switch result {
            case .success(let channel):
                self.state.withLock { $0.settingUp -= 1 }
                channel.closeFuture.whenComplete { _ in self.change { $0.open -= 1 } }
            case .failure(let error):
                self.logger.debug("a connection ended while it was set up: \(error)")
                self.change { state in
                    state.settingUp -= 1
                    state.open -= 1
                }
            }
            self.tellWhenStopped()
        }
    }

    private func end(broken: Bool) {
        close(descriptor)
        state.withLock { $0.hasEnded = true }
        tellWhenStopped()
        if broken { broke() }
    }

    private func tellWhenStopped() {
        let promise: EventLoopPromise<Void>? = state.withLock { state in
            guard state.hasEnded, state.settingUp == 0 else { return nil }
            defer { state.stopped = nil }
            return state.stopped
        }
        promise?.succeed()
    }

    deinit { close(wake) }

    // MARK: Words and addresses

    private static func words(_ error: CInt) -> String { String(cString: strerror(error)) }

    private static func localAddress(_ descriptor: CInt) -> ListenAddress? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        let family = CInt(address.ss_family)
        return withUnsafeBytes(of: &address) { raw in
            switch family {
            case AF_INET: return ListenAddress(socket: SocketAddress(raw.load(as: sockaddr_in.self)))
            case AF_INET6: return ListenAddress(socket: SocketAddress(raw.load(as: sockaddr_in6.self)))
            case AF_UNIX: return ListenAddress(socket: SocketAddress(raw.load(as: sockaddr_un.self)))
            default: return nil
            }
        }
    }
}
