import CLinux
import Glibc

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Runs something that blocks for long on a thread of its own, so that no thread of the concurrency runtime waits.
func onThreadOfItsOwn<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let box = Unmanaged.passRetained(ThreadWork { continuation.resume(returning: work()) })
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                // Termination is for the program's own threads.
                linux_block_signals()
                Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard failed != 0 else {
            pthread_detach(thread)
            return
        }
        // No thread to be had: here, then.
        box.takeRetainedValue().run()
    }
}

private final class ThreadWork: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

extension LoadTarget {
    /// - Throws: `LoadError.failed` when the name cannot be looked up or the path is too long.
    func address() throws(LoadError) -> linux_address {
        var address = linux_address()
        if let socketPath {
            guard linux_unix_address(socketPath, &address) == 0 else {
                throw .failed("the path \(socketPath) is empty or too long for a Unix socket (107 bytes)")
            }
            return address
        }
        let code = linux_lookup(host, "\(port)", &address)
        guard code == 0 else {
            let reason = String(cString: linux_lookup_text(code))
            throw .failed("a target's address cannot be resolved: \(host): \(reason)")
        }
        return address
    }
}

/// Which kind of failure a failed connection attempt is.
func connectFailure(_ error: Int32) -> RequestOutcome {
    let (kind, detail): (FailureKind, String) =
        switch error {
        case ECONNREFUSED: (.refused, "connection refused")
        case ENOENT: (.refused, "there is no socket at this path")
        case ECONNRESET, EPIPE, ECONNABORTED: (.reset, "reset while connecting")
        case ETIMEDOUT: (.timedOut, "no connection within the kernel's timeout")
        case EMFILE, ENFILE: (.notSent, "no file descriptor left: raise the limit (ulimit -n)")
        case EADDRNOTAVAIL, EADDRINUSE: (.notSent, "no local port left")
        case ENOBUFS, ENOMEM: (.notSent, "no kernel memory left")
        default: (.refused, "connecting failed: \(errorText(error))")
        }
    return .failed(kind, status: nil, detail: detail)
}

/// Which kind of failure a request is whose connection broke.
/// - Parameter answersBefore: how many answers the connection has given; nil when nobody counts.
func breakFailure(
    _ breakage: SocketEvent.Breakage, _ parser: ResponseParser, answersBefore: Int?
) -> RequestOutcome {
    let status = parser.status == 0 ? nil : parser.status
    let when = parser.hasBegun ? "within the answer" : "before any byte of the answer"
    let place =
        switch answersBefore {
        case nil: ""
        case 0?: ", on a new connection"
        case let count?: ", on a connection used \(count) times before"
        }
    switch breakage {
    case .ended: return .failed(.closedEarly, status: status, detail: when + place)
    case .failed(ECONNRESET), .failed(EPIPE), .failed(ECONNABORTED):
        return .failed(.reset, status: status, detail: when + place)
    case .failed(let error): return .failed(.reset, status: status, detail: errorText(error))
    case .malformed(let why): return .failed(.protocolError, status: status, detail: why)
    case .leftover(let count):
        return .failed(.protocolError, status: status, detail: "\(count) bytes after the answer")
    }
}
