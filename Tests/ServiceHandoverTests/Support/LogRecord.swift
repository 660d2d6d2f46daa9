import Logging
import Synchronization

/// What a service logged at `info` and above.
final class LogRecord: Sendable {
    private let entries = Mutex<[(message: String, metadata: Logger.Metadata)]>([])

    /// A number that came with a message; `nil` when it was not logged.
    func number(_ key: String, with message: String) -> Int? {
        entries.withLock { $0.last { $0.message == message }?.metadata[key].flatMap { Int("\($0)") } }
    }

    fileprivate func add(_ event: LogEvent) {
        entries.withLock { $0.append((event.message.description, event.metadata ?? [:])) }
    }
}

struct RecordingLogHandler: LogHandler {
    let record: LogRecord
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(record: LogRecord) { self.record = record }

    func log(event: LogEvent) { record.add(event) }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
