package import OakumModel

/// Reads what workers write to their logs, as it comes.
///
/// Bounded on both sides: of a flood only the newest part is given, and what was left out is counted.
package protocol LogLines: Sendable {
    /// What these workers wrote since they were asked about last, whole lines only: a line without its end is given once the
    /// rest is there. A worker that is not asked about is forgotten. May read files: called where waiting does no harm.
    func newLines(of sources: [LogSource]) async -> LogHarvest
}

/// A worker whose log is read.
package struct LogSource: Hashable, Sendable {
    package var worker: WorkerID
    /// It was there before Oakum: nobody knows when its earlier lines were written, so the first look gives none.
    package var isAdopted: Bool

    package init(worker: WorkerID, isAdopted: Bool) {
        self.worker = worker
        self.isAdopted = isAdopted
    }
}

/// What one look gave.
package struct LogHarvest: Hashable, Sendable {
    /// In the order asked; workers without a new line are left out.
    package var chunks: [LogChunk] = []
    /// Bytes that were too many, or gone before they were read.
    package var skippedBytes: Int64 = 0

    package init() {}
}

/// New lines of one worker.
package struct LogChunk: Hashable, Sendable {
    package var worker: WorkerID
    /// Whole lines, each with its line feed. Any bytes: a log need not be text.
    package var bytes: [UInt8]

    package init(worker: WorkerID, bytes: [UInt8]) {
        self.worker = worker
        self.bytes = bytes
    }
}

/// How much one look may give. What is beyond is skipped, the oldest first.
package enum LogLimits {
    /// Of one worker, bytes. Longer backlogs are skipped but for their end.
    package static let ofOneWorker = 64 << 10
    /// Of all workers together. Who is first in turn changes from look to look.
    package static let ofAll = 512 << 10
    /// Of one line: the rest of a longer one is left out.
    package static let ofOneLine = 4 << 10
}
