import Glibc
import Synchronization

/// A TCP server on loopback, on a port the kernel chose, with one blocking thread for each connection: nothing is
/// clever about it, so that it can misbehave in every way a test needs.
package final class SocketServer: Sendable {
    package let port: UInt16
    private let listener: Int32
    private struct State {
        var open: Set<Int32> = []
        var connections = 0
        var stopped = false
    }
    private let state = Mutex(State())
    private let serve: @Sendable (SocketConnection) -> Void

    /// - Parameter serve: talks to one peer; the connection is closed when it returns.
    package init(address: String = "127.0.0.1", serve: @escaping @Sendable (SocketConnection) -> Void) throws {
        self.serve = serve
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw TestKitError("no socket: \(String(cString: strerror(errno)))") }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = inet_addr(address)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let ready = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 512) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard ready else { throw TestKitError("cannot listen on \(address): \(String(cString: strerror(errno)))") }
        port = UInt16(bigEndian: place.sin_port)
        onThread { self.acceptLoop() }
    }

    package var connections: Int { state.withLock { $0.connections } }

    /// Refuses new connections and cuts those that are open. May be called more than once.
    package func stop() {
        let isFirst = state.withLock { state in
            defer { state.stopped = true }
            // Only shut down here: the thread that serves a connection closes it.
            for connection in state.open { shutdown(connection, Int32(SHUT_RDWR)) }
            return !state.stopped
        }
        // Wakes the accepting thread, which closes it.
        if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    private func acceptLoop() {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0, errno == EINTR || errno == ECONNABORTED { continue }
            guard descriptor >= 0 else { break }
            let stopped = state.withLock { state in
                state.connections += 1
                if !state.stopped { state.open.insert(descriptor) }
                return state.stopped
            }
            guard !stopped else {
                close(descriptor)
                continue
            }
            onThread {
                self.serve(SocketConnection(descriptor: descriptor))
                self.state.withLock { state in
                    state.open.remove(descriptor)
                    close(descriptor)
                }
            }
        }
        close(listener)
    }
}

/// One peer of a `SocketServer`. Used by its thread alone.
package final class SocketConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Bytes up to and including the mark; nil when the peer ends before.
    package func read(through mark: String) -> [UInt8]? {
        let mark = Array(mark.utf8)
        while true {
            if let range = buffer.firstRange(of: mark) {
                defer { buffer.removeSubrange(..<range.upperBound) }
                return Array(buffer[..<range.upperBound])
            }
            guard fill() else { return nil }
        }
    }

    package func read(count: Int) -> [UInt8]? {
        while buffer.count < count {
            guard fill() else { return nil }
        }
        defer { buffer.removeSubrange(..<count) }
        return Array(buffer[..<count])
    }

    /// Reads on until the peer hangs up.
    package func drain() {
        while fill() { buffer.removeAll() }
    }

    /// Whether all of it was taken.
    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Makes the end of the connection a reset instead of a proper one.
    package func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }
}

/// Opens once: threads of fake receivers wait at it for the test.
package final class Gate: Sendable {
    private let condition = Condition()

    package init() {}

    package func open() { condition.open() }

    /// Blocks the calling thread.
    package func wait() { condition.wait() }

    /// `@unchecked`: everything is touched only while the pthread mutex is held.
    private final class Condition: @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var isOpen = false

        init() {
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(changed, nil)
        }

        deinit {
            pthread_cond_destroy(changed)
            pthread_mutex_destroy(mutex)
            changed.deallocate()
            mutex.deallocate()
        }

        func open() {
            pthread_mutex_lock(mutex)
            isOpen = true
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }

        func wait() {
            pthread_mutex_lock(mutex)
            while !isOpen { pthread_cond_wait(changed, mutex) }
            pthread_mutex_unlock(mutex)
        }
    }
}

func onThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
