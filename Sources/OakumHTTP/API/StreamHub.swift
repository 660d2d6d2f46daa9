import Logging
import NIOCore
import OakumAPI
import OakumModel
import Synchronization

/// One piece of a live stream, encoded once for all its readers.
struct StreamMessage: Sendable {
    /// Set when the piece is a journal event: its number.
    var eventID: Int64?
    /// Set on overviews: every event after this number comes as a piece of its own, earlier ones do not.
    var eventsFollow: Int64?
    var bytes: ByteBuffer
}

/// Asks the control plane once a second and hands the answer to every open stream. Asks nothing while none is open.
///
/// Bounds: at most `limit` streams, and 16 pieces waiting for a slow reader; one that falls further behind is
/// disconnected (it reconnects and catches up from the journal).
final class StreamHub: Sendable {
    private struct Reader {
        var pieces: AsyncStream<StreamMessage>.Continuation
        var disconnect: @Sendable () -> Void
        /// False while it still catches up: what happens meanwhile it reads from the journal, at its own pace.
        var listens = false
    }
    private struct State {
        var readers: [Int: Reader] = [:]
        var nextReader = 0
        var closed = false
    }

    static let waitingPieces = 16
    private let plane: any ControlPlane
    private let limit: Int
    private let interval: Duration
    private let logger: Logger
    private let state = Mutex(State())
    /// Tells `run` that there is somebody to work for.
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(plane: any ControlPlane, limit: Int, interval: Duration, logger: Logger) {
        self.plane = plane
        self.limit = limit
        self.interval = interval
        self.logger = logger
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var readerCount: Int { state.withLock { $0.readers.count } }

    /// Opens a stream that ends when the subscription is let go. Pieces come after `listen()`.
    /// - Parameter disconnect: ends the reader's connection; called when it cannot keep up.
    func join(disconnect: @escaping @Sendable () -> Void) throws(HTTPFailure) -> StreamSubscription {
        let (pieces, continuation) = AsyncStream.makeStream(
            of: StreamMessage.self, bufferingPolicy: .bufferingOldest(Self.waitingPieces))
        let reader = Reader(pieces: continuation, disconnect: disconnect)
        let admitted = state.withLock { state -> Result<Int, HTTPFailure> in
            guard !state.closed else { return .failure(.ending) }
            guard state.readers.count < limit else { return .failure(.tooManyStreams) }
            state.nextReader += 1
            state.readers[state.nextReader] = reader
            return .success(state.nextReader)
        }
        let number = try admitted.get()
        wake.yield()
        return StreamSubscription(hub: self, number: number, pieces: pieces)
    }

    fileprivate func listen(_ number: Int) {
        state.withLock { $0.readers[number]?.listens = true }
    }

    func leave(_ number: Int) {
        let reader = state.withLock { $0.readers.removeValue(forKey: number) }
        reader?.pieces.finish()
    }

    /// Ends every stream, and `run`.
    func close() {
        let readers = state.withLock { state in
            state.closed = true
            defer { state.readers.removeAll() }
            return Array(state.readers.values)
        }
        for reader in readers {
            reader.pieces.finish()
        }
        wake.finish()
    }

    /// Works until `close` or cancellation.
    func run() async {
        for await _ in wakeUps {
            var lastEvent: Int64?
            while readerCount > 0 {
                lastEvent = await publishOnce(after: lastEvent)
                do {
                    try await Task.sleep(for: interval)
                } catch {
                    // Cancelled: the server ends.
                    return
                }
            }
        }
    }

    /// 0 in an empty journal; nil when it cannot be read.
    private func newestEvent() async -> Int64? {
        do {
            return try await plane.events(EventQuery(after: nil, limit: 1)).last?.id ?? 0
        } catch {
            logger.debug("the newest event is not known", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func publishOnce(after lastEvent: Int64?) async -> Int64? {
        var last = lastEvent
        do {
            if last == nil { last = await newestEvent() }
            let overview = try EventStreamText.overview(try await plane.overview())
            publish(StreamMessage(eventsFollow: last, bytes: overview))
            guard let known = last else { return nil }
            for record in try await plane.events(EventQuery(after: known, limit: 100)) {
                publish(StreamMessage(eventID: record.id, bytes: try EventStreamText.event(record)))
                last = record.id
            }
        } catch let error as ControlError {
            publish(StreamMessage(bytes: EventStreamText.trouble(error)))
        } catch {
            logger.error("the live stream could not be written", metadata: ["error": "\(error)"])
        }
        return last
    }

    private func publish(_ message: StreamMessage) {
        let readers = state.withLock { $0.readers }
        for (number, reader) in readers where reader.listens {
            guard case .dropped = reader.pieces.yield(message) else { continue }
            leave(number)
            reader.disconnect()
        }
    }
}

/// A place in the hub, given back when nobody holds it any more.
final class StreamSubscription: Sendable {
    let pieces: AsyncStream<StreamMessage>
    private let hub: StreamHub
    private let number: Int

    init(hub: StreamHub, number: Int, pieces: AsyncStream<StreamMessage>) {
        self.hub = hub
        self.number = number
        self.pieces = pieces
    }

    /// From now on pieces come, and have to be taken as fast as they do.
    func listen() {
        hub.listen(number)
    }

    deinit {
        hub.leave(number)
    }
}
