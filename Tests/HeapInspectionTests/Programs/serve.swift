import Glibc
import Synchronization

/// Rounds on demand: `leaks NAME leak|fixed --serve PORT` answers each HTTP request by one round of the program.
///
/// The program's loop calls `pace()` once a round. That is where it waits for the next request; the answer to the last one
/// goes out when it comes by again, so nothing of a round is under way when its answer has arrived.
final class Rounds: Sendable {
    static let shared = Rounds()
    private let asked = Signal()
    private let done = Signal()
    private let turn = Mutex(false)
    private let key = Mutex("")

    /// The last segment of the path that was asked for.
    var currentKey: String { key.withLock { $0 } }

    /// Called by the program's loop.
    func pass() {
        let isFirst = turn.withLock { begun in
            defer { begun = true }
            return !begun
        }
        if !isFirst { done.raise() }
        asked.wait()
    }

    /// Called for each request, one at a time.
    private func round(_ path: String) {
        key.withLock { $0 = String(path.split(separator: "/").last ?? "") }
        asked.raise()
        done.wait()
    }

    /// Listens for ever, a thread for each connection.
    func serve(port: UInt16) {
        signal(SIGPIPE, SIG_IGN)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound, listen(listener, 128) == 0 else { exit(3) }
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            onThread { self.answer(connection) }
        }
    }

    private static let serialised = Mutex(())

    private func answer(_ connection: Int32) {
        defer { close(connection) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var filled = 0
        while true {
            let count = buffer.withUnsafeMutableBytes {
                recv(connection, $0.baseAddress?.advanced(by: filled), 4_096 - filled, 0)
            }
            guard count > 0 else { return }
            filled += count
            guard filled >= 4, buffer[filled - 4..<filled].elementsEqual("\r\n\r\n".utf8) else { continue }
            let words = buffer[..<filled].split(separator: UInt8(ascii: " "), maxSplits: 2)
            let path = words.count > 1 ? String(decoding: words[1], as: UTF8.self) : "/"
            Self.serialised.withLock { _ in round(path) }
            filled = 0
            var text = Array("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".utf8)
            guard send(connection, &text, text.count, 0) == text.count else { return }
        }
    }
}

/// Waits for another thread.
final class Signal: Sendable {
    // Safe: POSIX semaphores are for sharing between threads.
    private nonisolated(unsafe) let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    func raise() { sem_post(semaphore) }

    func wait() { while sem_wait(semaphore) != 0 {} }
}

private final class Work {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

func onThread(_ work: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Work(work)).toOpaque()
    pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, argument)
    pthread_detach(thread)
}

// MARK: - Programs that only make sense on demand

nonisolated(unsafe) var smallBlocks: [UnsafeMutableRawPointer] = []

/// Sixteen bytes a round, the least that a leak is expected to be found with.
@Sendable func smallBlock(leaks: Bool) async {
    for _ in 0..<rounds {
        pace()
        let block = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
        block.storeBytes(of: 1, as: Int.self)
        if !leaks { block.deallocate() }
    }
}

nonisolated(unsafe) var numbersSeen: [Int] = []

/// Nothing but an array that doubles now and then.
@Sendable func growingArray(leaks: Bool) async {
    for number in 0..<rounds {
        pace()
        numbersSeen.append(number)
        numbersSeen.append(number)
        if !leaks { numbersSeen.removeAll(keepingCapacity: true) }
    }
}

nonisolated(unsafe) var pages: [String: [UInt8]] = [:]
nonisolated(unsafe) var order: [String] = []

/// A cache by key: without a bound, or with one of a thousand entries.
@Sendable func pageCache(leaks: Bool) async {
    for _ in 0..<rounds {
        pace()
        let key = Rounds.shared.currentKey
        guard pages[key] == nil else { continue }
        pages[key] = [UInt8](repeating: 7, count: 300)
        guard !leaks else { continue }
        order.append(key)
        if order.count > 1_000 { pages[order.removeFirst()] = nil }
    }
}
