import CLinux
import Glibc
import KeeperProtocol
import OakumEngine
import Synchronization

/// What `KeeperClient` asks of the thread that talks to the keeper.
struct KeeperRequest: Sendable {
    enum Question: Sendable {
        case apply([ServiceOrder])
        case inspect
        /// With the longest stop deadline of the services, in milliseconds.
        case stopAll(patience: UInt64)
    }

    enum Answer: Sendable {
        case applied([Listener])
        case inventory(Inventory)
        case stopped
    }

    let question: Question
    let answer: CheckedContinuation<Result<Answer, WorkerControlError>, Never>
}

/// The mailbox between the callers and the thread that owns the connection.
///
/// A thread of its own, because talking to the keeper waits: for a keeper to come up, for an answer, for events that
/// come hours apart. The cooperative pool has as many threads as cores and must never wait; a dispatch source would
/// need the same state machine spread over callbacks, and a queue beside it. One thread with `poll` costs 64 KiB and
/// can be read from top to bottom.
final class KeeperLink: Sendable {
    /// Signals the reader may lag behind before its stream ends.
    static let signalCapacity = 4_096

    private struct State {
        var requests: [KeeperRequest] = []
        var isClosed = false
        var isRunning = false
        var signals: AsyncStream<WorkerSignal>.Continuation?
    }

    let wake: Int32
    private let state = Mutex(State())

    init() throws(WorkerControlError) {
        wake = linux_wake_open()
        guard wake >= 0 else { throw .refused("out of file descriptors: \(KeeperConnection.text(wake))") }
    }

    deinit { Glibc.close(wake) }

    /// Asks, starting the thread at the first question.
    func ask(
        _ question: KeeperRequest.Question, launch: KeeperLaunch
    ) async throws(WorkerControlError) -> KeeperRequest.Answer {
        try await withCheckedContinuation { continuation in
            let request = KeeperRequest(question: question, answer: continuation)
            let (accepted, starts) = state.withLock { state in
                guard !state.isClosed else { return (false, false) }
                state.requests.append(request)
                defer { state.isRunning = true }
                return (true, !state.isRunning)
            }
            guard accepted else {
                continuation.resume(returning: .failure(.keeperLost("this client is closed")))
                return
            }
            if starts { startThread(launch) }
            linux_wake(wake)
        }.get()
    }

    /// Ends the thread after the requests it has. Workers and keeper go on.
    func close() {
        let signals = state.withLock { state in
            state.isClosed = true
            return state.signals.take()
        }
        signals?.finish()
        linux_wake(wake)
    }

    // MARK: - Signals

    func signals() -> AsyncStream<WorkerSignal> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: WorkerSignal.self, bufferingPolicy: .bufferingOldest(Self.signalCapacity))
        let (before, closed) = state.withLock { state in
            let before = state.signals.take()
            if !state.isClosed { state.signals = continuation }
            return (before, state.isClosed)
        }
        before?.finish()
        if closed { continuation.finish() }
        return stream
    }

    func give(_ signal: WorkerSignal) {
        guard let signals = state.withLock({ $0.signals }) else { return }
        // Full: what follows cannot be told in order any more, so the stream ends.
        if case .dropped = signals.yield(signal) { endSignals() }
    }

    func endSignals() {
        state.withLock { $0.signals.take() }?.finish()
    }

    // MARK: - The thread's side

    /// Requests that wait; nil when the client is closed and none is left.
    func takeRequests() -> [KeeperRequest]? {
        state.withLock { state in
            defer { state.requests = [] }
            return state.isClosed && state.requests.isEmpty ? nil : state.requests
        }
    }

    private func startThread(_ launch: KeeperLaunch) {
        let session = Unmanaged.passRetained(KeeperSession(link: self, launch: launch))
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { argument in
                linux_block_signals()
                guard let argument else { return nil }
                Unmanaged<KeeperSession>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, session.toOpaque())
        guard error != 0 else {
            pthread_detach(thread)
            return
        }
        session.release()
        let waiting = state.withLock { state in
            state.isClosed = true
            return state.requests
        }
        for request in waiting {
            request.answer.resume(returning: .failure(.refused("no thread to be had: \(KeeperConnection.text(error))")))
        }
    }
}
