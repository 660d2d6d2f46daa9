// Foundation for the JSON coders alone: the standard library has none.
import FoundationEssentials
import Glibc
package import Logging
import Synchronization

/// The audit log as a file of JSON lines, mode 0600, only ever appended to: `audit.jsonl`.
///
/// Each line is on the disk before its act is answered. When the file reaches `fileBytes` it becomes `audit.1.jsonl`, the
/// one before `audit.2.jsonl` and so on; the oldest beyond `files` is deleted: ship them elsewhere to keep them for longer.
package final class AuditLog: AuditTrail {
    private struct State {
        /// -1: not open.
        var descriptor: CInt = -1
        var size = 0
    }

    private let path: String
    private let fileBytes: Int
    private let files: Int
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - path: ends in `.jsonl`; its folder must exist.
    ///   - fileBytes: at which a file is full.
    ///   - files: how many full ones are kept, at least 1.
    package init(path: String, fileBytes: Int = 16 << 20, files: Int = 8, logger: Logger) {
        self.path = path
        self.fileBytes = fileBytes
        self.files = max(1, files)
        self.logger = logger
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    @concurrent
    package func record(_ entry: AuditEntry) async {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let line = Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")]
            let failure = state.withLock { append(line, &$0) }
            if let failure { throw failure }
        } catch {
            logger.error(
                "an act is not in the audit log",
                metadata: ["what": "\(entry.what)", "who": "\(entry.who ?? "?")", "error": "\(error)"])
        }
    }

    private func append(_ line: [UInt8], _ state: inout State) -> PrivateFile.Failure? {
        do throws(PrivateFile.Failure) {
            if state.descriptor < 0 { try open(&state) }
            if state.size > 0, state.size + line.count > fileBytes { try rotate(&state) }
            try PrivateFile.append(line, to: state.descriptor, path)
            state.size += line.count
            return nil
        } catch {
            // Half a line may stand there: the next try finds the end anew, and begins a line of its own.
            if state.descriptor >= 0 { close(state.descriptor) }
            state = State()
            return error
        }
    }

    private func open(_ state: inout State) throws(PrivateFile.Failure) {
        let descriptor = Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw PrivateFile.failure("cannot open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw PrivateFile.failure("cannot look at", path)
        }
        state = State(descriptor: descriptor, size: Int(status.st_size))
        var last: UInt8 = 0
        if state.size > 0, pread(descriptor, &last, 1, off_t(state.size - 1)) == 1, last != UInt8(ascii: "\n") {
            // A crash or a full disk cut the last line off.
            try PrivateFile.append([UInt8(ascii: "\n")], to: descriptor, path)
            state.size += 1
        }
        PrivateFile.syncFolder(of: path)
    }

    private func rotate(_ state: inout State) throws(PrivateFile.Failure) {
        close(state.descriptor)
        state = State()
        unlink(name(files))
        for number in stride(from: files - 1, through: 1, by: -1) { rename(name(number), name(number + 1)) }
        guard rename(path, name(1)) == 0 else { throw PrivateFile.failure("cannot rotate", path) }
        try open(&state)
    }

    private func name(_ number: Int) -> String {
        let stem = path.hasSuffix(".jsonl") ? String(path.dropLast(6)) : path
        return "\(stem).\(number).jsonl"
    }
}
