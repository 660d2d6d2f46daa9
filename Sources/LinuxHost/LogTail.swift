import Glibc
package import OakumEngine
import OakumModel
import Synchronization

/// `LogLines` over the log files that the keeper has workers write to.
///
/// A file that did not grow costs one stat(2). Reads at most `LogLimits`; a file that cannot be read gives no lines.
package final class LogTail: LogLines {
    private struct State {
        var cursors: [WorkerID: LogCursor] = [:]
        /// Who is first in turn.
        var turn = 0
    }

    private let folder: String
    private let state = Mutex(State())

    /// - Parameter folder: of the log files, one a worker: `SERVICE-NUMBER.log`.
    package init(folder: String) {
        self.folder = folder
    }

    @concurrent
    package func newLines(of sources: [LogSource]) async -> LogHarvest {
        state.withLock { state in
            let asked = Set(sources.map(\.worker))
            for worker in state.cursors.keys where !asked.contains(worker) { state.cursors[worker] = nil }
            state.turn &+= 1
            var left = LogLimits.ofAll
            var harvest = LogHarvest()
            var found: [Int: LogChunk] = [:]
            for place in sources.indices {
                let index = (place + state.turn) % sources.count
                let source = sources[index]
                var cursor = state.cursors[source.worker] ?? LogCursor(startsAtEnd: source.isAdopted)
                let bytes = read(source.worker, &cursor, limit: min(left, LogLimits.ofOneWorker))
                left -= bytes.count
                harvest.skippedBytes += cursor.takeSkipped()
                state.cursors[source.worker] = cursor
                if !bytes.isEmpty { found[index] = LogChunk(worker: source.worker, bytes: bytes) }
            }
            harvest.chunks = found.sorted { $0.key < $1.key }.map(\.value)
            return harvest
        }
    }

    private func read(_ worker: WorkerID, _ cursor: inout LogCursor, limit: Int) -> [UInt8] {
        // What does not fit this time waits for the next.
        guard limit > LogLimits.ofOneLine else { return [] }
        let path = "\(folder)/\(worker.service)-\(worker.number).log"
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            let stretch = cursor.next(file: UInt64(information.st_ino), size: Int64(information.st_size), limit: limit)
        else { return [] }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: stretch.count) { buffer, count in
            let got = pread(descriptor, buffer.baseAddress, stretch.count, Int(stretch.offset))
            count = max(0, got)
        }
        return cursor.take(bytes)
    }
}
