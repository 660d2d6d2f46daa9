package import OakumEngine
package import OakumModel
import Synchronization

/// Logs in memory that pass the contract of logs. Keeps what was not read yet, at most `LogLimits.ofOneWorker` a worker.
package final class InMemoryLogLines: LogLines {
    private struct Log {
        var unread: [UInt8] = []
        var isKnown = false
    }

    private let logs = Mutex<[WorkerID: Log]>([:])

    package init() {}

    /// What the worker writes next.
    package func write(_ bytes: [UInt8], of worker: WorkerID) {
        logs.withLock { $0[worker, default: Log()].unread += bytes }
    }

    package func write(_ text: String, of worker: WorkerID) {
        write(Array(text.utf8), of: worker)
    }

    package func newLines(of sources: [LogSource]) async -> LogHarvest {
        logs.withLock { logs in
            let asked = Set(sources.map(\.worker))
            for worker in logs.keys where !asked.contains(worker) { logs[worker]?.isKnown = false }
            var harvest = LogHarvest()
            for source in sources {
                guard var log = logs[source.worker] else { continue }
                defer { logs[source.worker] = log }
                if !log.isKnown, source.isAdopted { log.unread = [] }
                log.isKnown = true
                let surplus = log.unread.count - LogLimits.ofOneWorker
                if surplus > 0 {
                    harvest.skippedBytes += Int64(surplus)
                    let rest = log.unread.dropFirst(surplus)
                    log.unread = Array(rest.drop { $0 != UInt8(ascii: "\n") }.dropFirst())
                }
                guard let end = log.unread.lastIndex(of: UInt8(ascii: "\n")) else { continue }
                let lines = log.unread[...end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                let cut = lines.dropLast().flatMap { $0.prefix(LogLimits.ofOneLine) + [UInt8(ascii: "\n")] }
                log.unread.removeSubrange(...end)
                harvest.chunks.append(LogChunk(worker: source.worker, bytes: cut))
            }
            return harvest
        }
    }
}
